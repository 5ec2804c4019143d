"""Records of a Kafka broker as JSON objects, and the client that reads them.

In:  a broker address and topics.
Out: {"topic", "partition", "offset", "timestamp", "key", "value", "headers"}: text as it is, null
     for null, and under "key_base64" / "value_base64" instead where the bytes are not UTF-8.
Never: a wait without a limit.
"""

import base64
import functools
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

CALL_SECONDS = 30


def read(bootstrap, topics, isolation="read_committed", timeout=60, count=None):
    """Records of topics from the first on, to their end or up to a number."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "kafka-tool",
            "enable.auto.commit": False,
            "isolation.level": isolation,
            "enable.partition.eof": True,
        }
    )
    limit, seen, ended = time.monotonic() + timeout, 0, set()
    patience = limit if count is not None else 0
    parts = [
        TopicPartition(t, p, OFFSET_BEGINNING)
        for t in topics
        for p in appeared(bootstrap, t, patience)
    ]
    consumer.assign(parts)
    while seen < count if count is not None else len(ended) < len(parts):
        if time.monotonic() > limit:
            wanted = "" if count is None else f" of {count}"
            raise TimeoutError(f"{seen}{wanted} records of {topics} within {timeout} s")
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error() is None:
            yield record_of(message)
            seen += 1
        elif message.error().code() == KafkaError._PARTITION_EOF:
            ended.add((message.topic(), message.partition()))
        else:
            raise KafkaException(message.error())
    consumer.close()


def appeared(bootstrap, topic, limit):
    """The partition numbers of a topic; with a limit, of one that is yet to be made."""
    while True:
        try:
            return partitions_of(admin(bootstrap), topic)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART or time.monotonic() > limit:
                raise
            time.sleep(0.1)


def record_of(message):
    """A consumed message as the object described at the top."""
    record = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
    }
    record.update(pack("key", message.key()))
    record.update(pack("value", message.value()))
    headers = message.headers() or []
    record["headers"] = [
        [name, None if value is None else value.decode("utf-8", "replace")]
        for name, value in headers
    ]
    return record


def pack(name, data):
    """Bytes as one JSON member, text where they are text."""
    try:
        return {name: None if data is None else data.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode()}


def unpack(record, name):
    """The other way round."""
    if record.get(f"{name}_base64") is not None:
        return base64.b64decode(record[f"{name}_base64"])
    text = record.get(name)
    return None if text is None else text.encode()


@functools.cache
def admin(bootstrap):
    """A client for the administrative questions, kept: one that is dropped drops its answers."""
    return AdminClient({"bootstrap.servers": bootstrap})


def partitions_of(client, topic):
    """The partition numbers of a topic that exists."""
    found = client.list_topics(topic, timeout=CALL_SECONDS).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    return sorted(found.partitions)
