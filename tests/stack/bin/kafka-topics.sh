#!/bin/sh
# Kafka's own program of this name, from the class path of the process stack (KAFKA_CLASS_PATH):
# the jars of Maven Central come without scripts.
case $(basename "$0") in
  kafka-topics.sh) main=org.apache.kafka.tools.TopicCommand ;;
  kafka-broker-api-versions.sh) main=org.apache.kafka.tools.BrokerApiVersionsCommand ;;
esac
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.level=ERROR \
  -cp "$KAFKA_CLASS_PATH" "$main" "$@"
