#!/bin/sh
# Gives the services of one cluster the rights that they need in Kafka, and no other ones. See README.md.
set -eu

usage() {
  cat >&2 <<'TEXT'
acls.sh [--remove | --print] --bootstrap-server HOST:PORT [--command-config FILE]
        [--cluster NAME] --control-plane PRINCIPAL --ingest SERVICE=PRINCIPAL... --topics PREFIX...

  --cluster        TRIBUTARY_CLUSTER of the services; tributary by default
  --control-plane  who the control plane is: User:control-plane
  --ingest         who a service that runs connectors is: ws-ingest=User:ws-ingest; once for each service
  --topics         beginning of the names of the topics into which connectors write (records, dead letters, gaps); '*' for all
  --remove         takes the rights away
  --print          prints the rights, one a line: principal, resource, pattern, name, operations

KAFKA_ACLS names the tool; kafka-acls.sh by default.
TEXT
  exit 2
}

mode=--add cluster=tributary control_plane='' ingests='' prefixes='' connection=''
# A name of Kafka's has no blank, so a list with blanks between is safe. No file names are expanded.
set -f
while [ $# -gt 0 ]; do
  case "$1" in
    --remove) mode=--remove ;;
    --print) mode=--print ;;
    --bootstrap-server | --command-config | --cluster | --control-plane | --ingest | --topics)
      [ $# -gt 1 ] || usage
      case "$1" in
        --cluster) cluster=$2 ;;
        --control-plane) control_plane=$2 ;;
        --ingest) ingests="$ingests $2" ;;
        --topics) prefixes="$prefixes $2" ;;
        *) connection="$connection $1 $2" ;;
      esac
      shift
      ;;
    *) usage ;;
  esac
  shift
done
[ -n "$control_plane$ingests" ] || usage
[ -z "$ingests" ] || [ -n "$prefixes" ] || usage
[ "$mode" = --print ] || [ -n "$connection" ] || usage

refuse() {
  echo "acls.sh: $1" >&2
  exit 2
}

# An unset variable must not become a right on every group that begins with "-".
case "$cluster" in
  '' | *[!A-Za-z0-9._-]*) refuse "\"$cluster\" is no name of a cluster: letters, digits, \".\", \"_\" and \"-\"" ;;
esac
for prefix in $prefixes; do
  [ "$prefix" != '*' ] || continue
  for internal in access audit history dead-letters; do
    case "$cluster-connect-$internal" in
      "$prefix"*)
        refuse "--topics $prefix would let the workers write API keys, the audit log, the history and the replays of the cluster $cluster: choose a longer beginning"
        ;;
    esac
  done
done

# right PRINCIPAL topic|group|transactional-id literal|prefixed OPERATIONS NAME...: operations are separated by commas.
right() {
  principal=$1 resource=$2 pattern=$3 operations=$4
  shift 4
  arguments=''
  for name in "$@"; do
    [ "$mode" != --print ] || echo "$principal $resource $pattern $name $operations"
    arguments="$arguments --$resource $name"
  done
  [ "$mode" != --print ] || return 0
  for operation in $(echo "$operations" | tr ',' ' '); do arguments="$arguments --operation $operation"; done
  force=''
  [ "$mode" = --add ] || force=--force
  ${KAFKA_ACLS:-kafka-acls.sh} $connection "$mode" $force --allow-principal "$principal" \
    --resource-pattern-type "$pattern" $arguments
}

internal="$cluster-connect-configs $cluster-connect-offsets $cluster-connect-status $cluster-connect-plugins"
# Read and Write imply Describe, and AlterConfigs implies DescribeConfigs.
state=Create,AlterConfigs,Read,Write

if [ -n "$control_plane" ]; then
  right "$control_plane" topic literal "$state" $internal "$cluster-connect-access" "$cluster-connect-audit" "$cluster-connect-history" "$cluster-connect-dead-letters"
  right "$control_plane" group literal Read "$cluster-control-plane"
  right "$control_plane" group prefixed Describe "$cluster-"
  right "$control_plane" transactional-id prefixed Write "$cluster-"
  # Dead letters.
  for prefix in $prefixes; do
    pattern=prefixed
    [ "$prefix" != '*' ] || pattern=literal
    right "$control_plane" topic "$pattern" Read "$prefix"
  done
fi

for ingest in $ingests; do
  service=${ingest%%=*} principal=${ingest#*=}
  [ "$service" != "$ingest" ] || usage
  right "$principal" topic literal "$state" $internal
  for prefix in $prefixes; do
    pattern=prefixed
    [ "$prefix" != '*' ] || pattern=literal
    right "$principal" topic "$pattern" Create,Read,Write "$prefix"
  done
  right "$principal" group literal Read "$cluster-$service"
  right "$principal" transactional-id prefixed Write "$cluster-$service-" "$cluster-return-"
done
