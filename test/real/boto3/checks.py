"""boto3 as an application would use it; only the environment names the endpoint.

Tells `ok WHAT` for each thing shown, and ends with an error at the first that is not so. The node's log must be bounded
to 64 MiB, so that it can be filled.
"""

import datetime
import threading
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

KEYS = 8
BATCH = 40
FIRST_SHARD = "shardId-000000000000"

client = boto3.client("kinesis")
# No retries: what the node answers is seen.
single = boto3.client("kinesis", config=Config(retries={"total_max_attempts": 1}))
# The three attempts of the default may all be over, by the client's chance, before there is room again.
patient = boto3.client("kinesis", config=Config(retries={"mode": "standard", "total_max_attempts": 8}))


def ok(what):
    print(f"ok {what}", flush=True)


def is_recent(moment):
    now = datetime.datetime.now(datetime.timezone.utc)
    return abs((now - moment).total_seconds()) < 60


def create_stream(name, shards=1):
    client.create_stream(StreamName=name, ShardCount=shards)
    wait_active(name)
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert is_recent(summary["StreamCreationTimestamp"]), summary
    return summary["StreamARN"]


def wait_active(name):
    client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def read_shard(name, shard):
    """All that is in a shard, to its end or its newest record."""
    found = []
    place = client.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    iterator = place["ShardIterator"]
    while iterator is not None:
        answer = client.get_records(ShardIterator=iterator, Limit=200)
        found.extend(answer["Records"])
        iterator = answer.get("NextShardIterator")
        if answer["MillisBehindLatest"] == 0 and not answer["Records"]:
            break
    return found


def puts_and_gets():
    create_stream("plain")
    data = bytes([0, 255, 128, 10])
    put = client.put_record(StreamName="plain", PartitionKey="schlüssel", Data=data)
    records = [{"PartitionKey": "k", "Data": f"record {index}".encode()} for index in range(500)]
    batch = client.put_records(StreamName="plain", Records=records)
    assert batch["FailedRecordCount"] == 0, batch
    found = read_shard("plain", put["ShardId"])
    assert [record["Data"] for record in found] == [data] + [record["Data"] for record in records]
    numbers = [record["SequenceNumber"] for record in found]
    assert numbers == [put["SequenceNumber"]] + [record["SequenceNumber"] for record in batch["Records"]]
    assert found[0]["PartitionKey"] == "schlüssel"
    assert is_recent(found[0]["ApproximateArrivalTimestamp"])
    ok("put_record, put_records, get_records, stream_exists")


def listed_shards(**asked):
    pages_of_shards = client.get_paginator("list_shards").paginate(**asked)
    return [shard["ShardId"] for page in pages_of_shards for shard in page["Shards"]]


def pages():
    for index in range(11):
        client.create_stream(StreamName=f"page-{index:02}", ShardCount=1)
    listed = client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 5})
    names = [page["StreamNames"] for page in listed]
    assert names == [[f"page-{index:02}" for index in part] for part in (range(5), range(5, 10))] + [
        ["page-10", "plain"]
    ], names
    arn = create_stream("wide", 7)
    shards = [f"shardId-{index:012}" for index in range(7)]
    assert listed_shards(StreamName="wide") == shards
    # The paginator names the stream beside the token of the second page, which AWS refuses, too.
    refused(client.exceptions.InvalidArgumentException, listed_shards, StreamName="wide", PaginationConfig={"PageSize": 3})
    described = client.get_paginator("describe_stream").paginate(StreamName="wide", PaginationConfig={"PageSize": 2})
    found = [shard["ShardId"] for page in described for shard in page["StreamDescription"]["Shards"]]
    assert found == shards, found
    for name in "abc":
        client.register_stream_consumer(StreamARN=arn, ConsumerName=name)
    listed = client.get_paginator("list_stream_consumers").paginate(StreamARN=arn, PaginationConfig={"PageSize": 2})
    consumers = [[consumer["ConsumerName"] for consumer in page["Consumers"]] for page in listed]
    assert [len(page) for page in consumers] == [2, 1] and sorted(sum(consumers, [])) == ["a", "b", "c"], consumers
    ok("the paginators: list_streams, list_shards, describe_stream, list_stream_consumers")


def refused(error_class, action, **arguments):
    try:
        action(**arguments)
    except error_class as error:
        return error.response
    raise AssertionError(f"{action.__name__} was not refused")


def errors():
    known = client.exceptions
    answer = refused(known.ResourceNotFoundException, client.describe_stream_summary, StreamName="no")
    assert answer["Error"]["Message"] == "Stream no under account 000000000000 not found.", answer
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400 and len(answer["ResponseMetadata"]["RequestId"]) == 36
    refused(known.ResourceInUseException, client.create_stream, StreamName="plain", ShardCount=1)
    refused(
        known.InvalidArgumentException,
        client.get_shard_iterator,
        StreamName="plain",
        ShardId=FIRST_SHARD,
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber="1",
    )
    refused(known.ValidationException, client.put_record, StreamName="plain", PartitionKey="k" * 257, Data=b"x")
    refused(known.LimitExceededException, consumers_beyond_the_limit)
    ok("the error classes")


def consumers_beyond_the_limit():
    arn = client.describe_stream_summary(StreamName="page-00")["StreamDescriptionSummary"]["StreamARN"]
    for index in range(21):
        client.register_stream_consumer(StreamARN=arn, ConsumerName=f"consumer-{index}")


class Follower:
    """Subscribes to shards, children after all of their parents, until enough records came."""

    def __init__(self, consumer):
        self.consumer = consumer
        self.seen = []
        self.known = {FIRST_SHARD: []}
        self.begun = set()
        self.ended = set()
        self.problem = None
        self.lock = threading.Lock()

    def look(self):
        with self.lock:
            startable = [
                shard
                for shard, parents in self.known.items()
                if shard not in self.begun and all(parent in self.ended for parent in parents)
            ]
            self.begun.update(startable)
        for shard in startable:
            threading.Thread(target=self.run, args=(shard,), daemon=True).start()

    def run(self, shard):
        try:
            answer = client.subscribe_to_shard(
                ConsumerARN=self.consumer, ShardId=shard, StartingPosition={"Type": "TRIM_HORIZON"}
            )
            for part in answer["EventStream"]:
                event = part["SubscribeToShardEvent"]
                with self.lock:
                    self.seen.extend((record["PartitionKey"], int(record["Data"])) for record in event["Records"])
                    self.known.update((child["ShardId"], child["ParentShards"]) for child in event.get("ChildShards", []))
            with self.lock:
                self.ended.add(shard)
            self.look()
        except Exception as error:
            self.problem = error

    def wait(self, count):
        end = time.monotonic() + 30
        while len(self.seen) < count and time.monotonic() < end and self.problem is None:
            time.sleep(0.05)
        assert self.problem is None, self.problem
        assert len(self.seen) == count, f"{len(self.seen)} of {count} records"


def reshard(name):
    """Splits the one shard, and merges its children."""
    time.sleep(0.5)
    client.split_shard(StreamName=name, ShardToSplit=FIRST_SHARD, NewStartingHashKey=str(2**127))
    wait_active(name)
    time.sleep(0.5)
    one, other = (f"shardId-{index:012}" for index in (1, 2))
    client.merge_shards(StreamName=name, ShardToMerge=one, AdjacentShardToMerge=other)
    wait_active(name)


def put_batch(first):
    numbers = range(first, first + BATCH)
    records = [{"PartitionKey": f"key {number % KEYS}", "Data": str(number).encode()} for number in numbers]
    assert client.put_records(StreamName="tree", Records=records)["FailedRecordCount"] == 0
    return first + BATCH


def fan_out():
    arn = create_stream("tree")
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="follower")["Consumer"]["ConsumerARN"]
    follower = Follower(consumer)
    follower.look()
    resharding = threading.Thread(target=reshard, args=("tree",))
    resharding.start()
    count = 0
    while resharding.is_alive():
        count = put_batch(count)
        time.sleep(0.05)
    # The last ones come when the last shard is there.
    count = put_batch(count)
    follower.wait(count)
    assert len(follower.ended) == 3, follower.ended
    for key in range(KEYS):
        numbers = [number for name, number in follower.seen if name == f"key {key}"]
        assert numbers == list(range(key, count, KEYS)), f"key {key}: {numbers}"
    ok("subscribe_to_shard over HTTP/1.1 through a split and a merge: each record once, in order for each key")


def fill():
    """Puts records of 1 MB until the log takes no more."""
    batch = [{"PartitionKey": "k", "Data": bytes(1_000_000)}] * 4
    for _ in range(20):
        answer = single.put_records(StreamName="large", Records=batch)
        if answer["FailedRecordCount"] > 0:
            codes = {record["ErrorCode"] for record in answer["Records"] if "ErrorCode" in record}
            assert codes == {"ProvisionedThroughputExceededException"}, codes
            return
    raise AssertionError("the log took more than its bound")


def throttling():
    create_stream("large")
    fill()
    small = {"StreamName": "plain", "PartitionKey": "k", "Data": b"late"}
    refused(single.exceptions.ProvisionedThroughputExceededException, single.put_record, **small)
    # Its room is there again half a second after the first attempt.
    threading.Timer(0.5, client.delete_stream, kwargs={"StreamName": "large"}).start()
    answer = patient.put_record(**small)
    assert answer["ResponseMetadata"]["RetryAttempts"] > 0, answer
    assert [record["Data"] for record in read_shard("plain", FIRST_SHARD)].count(b"late") == 1
    ok("what is throttled is tried again by the client, and stored once")


def deletion():
    client.delete_stream(StreamName="plain")
    client.get_waiter("stream_not_exists").wait(StreamName="plain", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    refused(ClientError, client.describe_stream, StreamName="plain")
    ok("stream_not_exists")


for check in (puts_and_gets, pages, errors, fan_out, throttling, deletion):
    check()
