"""What tests ask of a Kafka broker: one sub-command per question, JSON lines in and out.

In:  a broker address; for `produce` one JSON object a line on standard input.
Out: one JSON object a line on standard output, errors on standard error, exit code 1 on failure.
Never: state between two calls, or a wait without a limit.

A record is what `kafka_records` says.
"""

import argparse
import json
import sys
import time

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import ConfigResource, NewPartitions, NewTopic, OffsetSpec

from kafka_records import CALL_SECONDS, admin, partitions_of, read, unpack


def main():
    """Parse the command line and run one sub-command."""
    args = parser().parse_args()
    try:
        args.run(args)
    except (KafkaException, TimeoutError, ValueError) as error:
        print(f"kafka_tool {args.command}: {error}", file=sys.stderr)
        sys.exit(1)


def parser():
    """The command line, one sub-parser a question."""
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    top.add_argument("--bootstrap", required=True, help="host:port of the broker")
    subs = top.add_subparsers(dest="command", required=True)

    def add(name, run, *topic):
        sub = subs.add_parser(name, help=run.__doc__.splitlines()[0])
        sub.set_defaults(run=run)
        for flag in topic:
            sub.add_argument(flag)
        return sub

    create = add("create-topic", create_topic, "topic")
    create.add_argument("--partitions", type=int, default=1)
    create.add_argument("--config", action="append", default=[], metavar="KEY=VALUE")
    add("delete-topic", delete_topic, "topic")
    add("add-partitions", add_partitions, "topic").add_argument(
        "--partitions", type=int, required=True
    )
    alter = add("alter-topic", alter_topic, "topic")
    alter.add_argument("--config", action="append", required=True, metavar="KEY=VALUE")
    add("list-topics", list_topics)
    offsets = add("offsets", list_offsets, "topic")
    offsets.add_argument(
        "--isolation", choices=("read_committed", "read_uncommitted"), default="read_committed"
    )
    delete = add("delete-records", delete_records, "topic")
    delete.add_argument("--partition", type=int, required=True)
    delete.add_argument("--before", type=int, required=True, help="first offset that stays")
    add("group-offsets", group_offsets, "group")
    add("group", describe_group, "group")
    produce_cmd = add("produce", produce)
    produce_cmd.add_argument("--transactional-id")
    produce_cmd.add_argument(
        "--abort", action="store_true", help="end the transaction by aborting it"
    )
    dump_cmd = add("dump", dump)
    dump_cmd.add_argument("topics", nargs="+")
    dump_cmd.add_argument(
        "--isolation", choices=("read_committed", "read_uncommitted"), default="read_committed"
    )
    dump_cmd.add_argument(
        "--count", type=int, help="wait until so many records are there; else stop at the end"
    )
    dump_cmd.add_argument(
        "--timeout", type=float, default=60, help="seconds; with --count, less is a failure"
    )
    return top


def create_topic(args):
    """Make a topic; one that exists with as many partitions is fine."""
    topic = NewTopic(args.topic, args.partitions, 1, config=pairs(args.config))
    try:
        wait(admin(args.bootstrap).create_topics([topic]))
    except KafkaException as error:
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        there = len(partitions_of(admin(args.bootstrap), args.topic))
        if there != args.partitions:
            raise ValueError(
                f"topic {args.topic} exists with {there} partitions, not {args.partitions}"
            ) from error


def delete_topic(args):
    """Delete a topic and wait until the broker no longer lists it."""
    client = admin(args.bootstrap)
    wait(client.delete_topics([args.topic]))
    limit = time.monotonic() + CALL_SECONDS
    while args.topic in client.list_topics(timeout=CALL_SECONDS).topics:
        if time.monotonic() > limit:
            raise TimeoutError(
                f"topic {args.topic} is still listed {CALL_SECONDS} s after its deletion"
            )
        time.sleep(0.1)


def add_partitions(args):
    """Raise the number of partitions of a topic to a total."""
    wait(admin(args.bootstrap).create_partitions([NewPartitions(args.topic, args.partitions)]))


def alter_topic(args):
    """Set configs of a topic, all others go back to their defaults."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, args.topic, set_config=pairs(args.config))
    wait(admin(args.bootstrap).alter_configs([resource]))


def list_topics(args):
    """One line a topic: name and number of partitions."""
    topics = admin(args.bootstrap).list_topics(timeout=CALL_SECONDS).topics
    for name in sorted(topics):
        emit({"topic": name, "partitions": len(topics[name].partitions)})


def list_offsets(args):
    """One line a partition: first offset and next offset (last + 1)."""
    client = admin(args.bootstrap)
    level = IsolationLevel[args.isolation.upper()]
    parts = partitions_of(client, args.topic)

    def ask(spec):
        query = {TopicPartition(args.topic, p): spec for p in parts}
        answer = client.list_offsets(query, isolation_level=level, request_timeout=CALL_SECONDS)
        return {tp.partition: future.result(CALL_SECONDS).offset for tp, future in answer.items()}

    first, following = ask(OffsetSpec.earliest()), ask(OffsetSpec.latest())
    for p in parts:
        emit({"topic": args.topic, "partition": p, "first": first[p], "next": following[p]})


def delete_records(args):
    """Delete everything of a partition before an offset, as retention would."""
    wait(
        admin(args.bootstrap).delete_records(
            [TopicPartition(args.topic, args.partition, args.before)]
        )
    )


def group_offsets(args):
    """One line a partition: what a consumer group has committed."""
    request = [ConsumerGroupTopicPartitions(args.group)]
    for future in admin(args.bootstrap).list_consumer_group_offsets(request).values():
        for tp in future.result(CALL_SECONDS).topic_partitions:
            emit(
                {
                    "topic": tp.topic,
                    "partition": tp.partition,
                    "offset": tp.offset,
                    "metadata": tp.metadata,
                }
            )


def describe_group(args):
    """The state of a consumer group and how many members it has."""
    for future in admin(args.bootstrap).describe_consumer_groups([args.group]).values():
        group = future.result(CALL_SECONDS)
        emit({"group": args.group, "state": group.state.name, "members": len(group.members)})


def produce(args):
    """Send the records of standard input; in one transaction when an id is given."""
    if args.abort and not args.transactional_id:
        raise ValueError("--abort needs --transactional-id")
    config = {"bootstrap.servers": args.bootstrap, "linger.ms": 5, "enable.idempotence": True}
    if args.transactional_id:
        config["transactional.id"] = args.transactional_id
    producer, failures, sent = Producer(config), [], []

    def delivered(error, message):
        if error is None:
            sent.append((message.topic(), message.partition(), message.offset()))
        else:
            failures.append(str(error))

    if args.transactional_id:
        producer.init_transactions(CALL_SECONDS)
        producer.begin_transaction()
    for line in sys.stdin:
        send(producer, json.loads(line), delivered)
    if producer.flush(CALL_SECONDS) or failures:
        raise ValueError(f"not every record was taken: {failures[:3] or 'no answer in time'}")
    if args.abort:
        producer.abort_transaction(CALL_SECONDS)
    elif args.transactional_id:
        producer.commit_transaction(CALL_SECONDS)
    for topic, partition, offset in sorted(sent):
        emit({"topic": topic, "partition": partition, "offset": offset})


def send(producer, record, delivered):
    """Queue one record, waiting while the producer's own queue is full."""
    options = {
        name: record[name] for name in ("partition", "timestamp") if record.get(name) is not None
    }
    headers = [
        (name, None if value is None else value.encode())
        for name, value in record.get("headers") or []
    ]
    key, value = unpack(record, "key"), unpack(record, "value")
    while True:
        try:
            producer.produce(
                record["topic"], value, key, headers=headers, on_delivery=delivered, **options
            )
            producer.poll(0)
            return
        except BufferError:
            producer.poll(0.1)


def dump(args):
    """Print records of topics from the first on, to their end or up to a number."""
    for record in read(args.bootstrap, args.topics, args.isolation, args.timeout, args.count):
        emit(record)


def wait(futures):
    """Wait for each answer; a refusal is raised."""
    for future in futures.values():
        future.result(CALL_SECONDS)


def pairs(texts):
    """KEY=VALUE arguments as a dictionary."""
    return dict(text.split("=", 1) for text in texts)


def emit(value):
    """One JSON object on one line."""
    json.dump(value, sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
