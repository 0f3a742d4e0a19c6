#!/usr/bin/env node
import { kafkaTool } from '@tributary/harness'

// Kafka's own tool under the name that acls.sh calls.
process.stdout.write(await kafkaTool('kafka-acls', process.argv.slice(2)))
