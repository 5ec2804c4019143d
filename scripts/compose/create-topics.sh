#!/bin/sh
# Makes the topic that the orders source is routed to, once; a topic that is there is fine.
#
# In:  KAFKA_BOOTSTRAP (host:port), KAFKA_TOPICS (Kafka's kafka-topics.sh).
# Out: exit code 0 when the topic is there.
set -eu

"$KAFKA_TOPICS" --bootstrap-server "$KAFKA_BOOTSTRAP" --create --if-not-exists \
  --topic orders_cdc --partitions 3 --replication-factor 1
