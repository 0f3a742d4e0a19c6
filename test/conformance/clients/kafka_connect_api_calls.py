"""Calls kafka-connect-api by its own names: `words<TAB>of<TAB>a call` a line in, one line of JSON out."""

import json
import sys

from kafka_connect_api.kafka_connect_api import Api, Cluster

cluster = Cluster(Api(url=sys.argv[1]))


def call(what, name=None, *rest):
    if what == "cluster":
        return {"version": cluster.version, "kafka_cluster": cluster.kafka_cluster}
    if what == "connectors":
        return list(cluster.connectors)
    if what == "root_logger":
        return cluster.root_logger
    if what == "set_root_logger":
        cluster.root_logger = name
        return None
    if what == "create":
        return cluster.api.post("/connectors", json=json.loads(name))
    connector = cluster.connectors[name]
    if what == "set_config":
        connector.config = json.loads(rest[0])
        return None
    if what == "tasks":
        return [{"id": t.id, "config": t.config, "state": t.state, "running": t.is_running()} for t in connector.tasks]
    found = getattr(connector, what)
    return found() if callable(found) else found


for line in sys.stdin:
    try:
        answer = call(*line.rstrip("\n").split("\t"))
    except Exception as error:
        answer = {"raised": type(error).__name__, "code": getattr(error, "code", None)}
    print(json.dumps(answer), flush=True)
