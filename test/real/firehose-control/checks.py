"""All twelve actions of Firehose by boto3; only the environment names the endpoint.

Tells `ok WHAT` for each thing shown, and ends with an error at the first that is not so. The node's config must declare a
stream `events` and a delivery stream `declared` that reads it.
"""

import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "arn:aws:s3:::archive"
ROLE = "arn:aws:iam::123456789012:role/firehose"
KEY = "arn:aws:kms:us-east-1:123456789012:key/0b0b0b0b-1111-2222-3333-444444444444"
DESTINATION = "destinationId-000000000001"

# boto3 checks shapes itself: without, the node's own checks are seen.
client = boto3.client("firehose", config=Config(parameter_validation=False, retries={"total_max_attempts": 1}))


def ok(what):
    print(f"ok {what}", flush=True)


def refused(code, action, **given):
    try:
        action(**given)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400, error
        return error.response["Error"]["Message"]
    raise AssertionError(f"{action} was not refused")


def described(name):
    return client.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]


def creation():
    arn = client.create_delivery_stream(
        DeliveryStreamName="direct",
        DeliveryStreamType="DirectPut",
        DirectPutSourceConfiguration={"ThroughputHintInMBs": 5},
        ExtendedS3DestinationConfiguration={
            "RoleARN": ROLE,
            "BucketARN": BUCKET,
            "BufferingHints": {"SizeInMBs": 1, "IntervalInSeconds": 900},
            "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY}},
            "CloudWatchLoggingOptions": {"Enabled": True, "LogGroupName": "g", "LogStreamName": "s"},
        },
        Tags=[{"Key": "team", "Value": "x"}],
    )["DeliveryStreamARN"]
    description = described("direct")
    assert description["DeliveryStreamARN"] == arn, description
    assert description["Source"] == {"DirectPutSourceDescription": {"ThroughputHintInMBs": 5}}, description
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs((now - description["CreateTimestamp"]).total_seconds()) < 60, description
    only = description["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert only["EncryptionConfiguration"] == {"KMSEncryptionConfig": {"AWSKMSKeyARN": KEY}}, only
    refused("ResourceInUseException", client.create_delivery_stream, DeliveryStreamName="direct",
            ExtendedS3DestinationConfiguration={"BucketARN": BUCKET})
    both = {"ExtendedS3DestinationConfiguration": {"BucketARN": BUCKET}, "S3DestinationConfiguration": {"BucketARN": BUCKET}}
    said = refused("InvalidArgumentException", client.create_delivery_stream, DeliveryStreamName="two", **both)
    assert said.startswith("Exactly one destination configuration"), said
    wrong = {"BucketARN": BUCKET, "CompressionFormat": "SNAPPY"}
    said = refused("ValidationException", client.create_delivery_stream, DeliveryStreamName="wrong",
                   ExtendedS3DestinationConfiguration=wrong)
    assert "[ZIP, HADOOP_SNAPPY, Snappy, GZIP, UNCOMPRESSED]" in said, said
    said = refused("InvalidArgumentException", client.create_delivery_stream, DeliveryStreamName="later",
                   RedshiftDestinationConfiguration={"RoleARN": ROLE})
    assert "not built yet" in said, said
    ok("create_delivery_stream, describe_delivery_stream, and what is refused")


def from_stream():
    source = {"KinesisStreamARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/events", "RoleARN": ROLE}
    client.create_delivery_stream(
        DeliveryStreamName="reader",
        DeliveryStreamType="KinesisStreamAsSource",
        KinesisStreamSourceConfiguration=source,
        S3DestinationConfiguration={"RoleARN": ROLE, "BucketARN": BUCKET},
    )
    told = described("reader")["Source"]["KinesisStreamSourceDescription"]
    assert {name: told[name] for name in source} == source, told
    said = refused("InvalidArgumentException", client.put_record, DeliveryStreamName="reader", Record={"Data": b"x"})
    assert said == "This operation is not permitted on KinesisStreamAsSource delivery stream type.", said
    assert described("declared")["DeliveryStreamType"] == "KinesisStreamAsSource"
    ok("a Kinesis stream as source, by the API and by the file")


def lists():
    answer = client.list_delivery_streams()
    assert answer["DeliveryStreamNames"] == ["declared", "direct", "reader"], answer
    assert answer["HasMoreDeliveryStreams"] is False
    page = client.list_delivery_streams(Limit=1, ExclusiveStartDeliveryStreamName="declared")
    assert (page["DeliveryStreamNames"], page["HasMoreDeliveryStreams"]) == (["direct"], True), page
    direct = client.list_delivery_streams(DeliveryStreamType="DirectPut")
    assert direct["DeliveryStreamNames"] == ["direct"], direct
    ok("list_delivery_streams")


def tags():
    client.tag_delivery_stream(DeliveryStreamName="direct", Tags=[{"Key": "team", "Value": "y"}, {"Key": "z"}])
    page = client.list_tags_for_delivery_stream(DeliveryStreamName="direct", Limit=1)
    assert (page["Tags"], page["HasMoreTags"]) == ([{"Key": "team", "Value": "y"}], True), page
    client.untag_delivery_stream(DeliveryStreamName="direct", TagKeys=["team"])
    assert [tag["Key"] for tag in client.list_tags_for_delivery_stream(DeliveryStreamName="direct")["Tags"]] == ["z"]
    refused("ValidationException", client.tag_delivery_stream, DeliveryStreamName="direct", Tags=[{"Key": "aws:x"}])
    many = [{"Key": f"k{index}"} for index in range(50)]
    refused("LimitExceededException", client.tag_delivery_stream, DeliveryStreamName="direct", Tags=many)
    ok("tag_delivery_stream, untag_delivery_stream, list_tags_for_delivery_stream")


def encryption():
    assert described("direct")["DeliveryStreamEncryptionConfiguration"] == {"Status": "DISABLED"}
    key = {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": KEY}
    client.start_delivery_stream_encryption(
        DeliveryStreamName="direct", DeliveryStreamEncryptionConfigurationInput=key
    )
    assert described("direct")["DeliveryStreamEncryptionConfiguration"] == {**key, "Status": "ENABLED"}
    assert client.put_record(DeliveryStreamName="direct", Record={"Data": b"x"})["Encrypted"] is True
    client.stop_delivery_stream_encryption(DeliveryStreamName="direct")
    records = [{"Data": b"y"}] * 500
    batch = client.put_record_batch(DeliveryStreamName="direct", Records=records)
    assert (batch["FailedPutCount"], batch["Encrypted"], len(batch["RequestResponses"])) == (0, False, 500), batch
    refused("InvalidArgumentException", client.start_delivery_stream_encryption, DeliveryStreamName="reader")
    ok("start_delivery_stream_encryption, stop_delivery_stream_encryption, put_record, put_record_batch")


def updates():
    address = {"DeliveryStreamName": "direct", "DestinationId": DESTINATION}
    update = {"Prefix": "p/", "CompressionFormat": "GZIP"}
    client.update_destination(**address, CurrentDeliveryStreamVersionId="1", ExtendedS3DestinationUpdate=update)
    description = described("direct")
    only = description["Destinations"][0]["ExtendedS3DestinationDescription"]
    assert (description["VersionId"], only["Prefix"], only["CompressionFormat"]) == ("2", "p/", "GZIP"), description
    assert only["BufferingHints"] == {"SizeInMBs": 1, "IntervalInSeconds": 900}, only
    try:
        client.update_destination(**address, CurrentDeliveryStreamVersionId="1", S3DestinationUpdate=update)
        raise AssertionError("updated twice from one version")
    except client.exceptions.ConcurrentModificationException:
        pass
    client.update_destination(**address, CurrentDeliveryStreamVersionId="2", S3DestinationUpdate={"Prefix": "q/"})
    assert described("direct")["VersionId"] == "3"
    ok("update_destination")


def deletion():
    for name in ("direct", "reader"):
        client.delete_delivery_stream(DeliveryStreamName=name, AllowForceDelete=True)
        refused("ResourceNotFoundException", client.describe_delivery_stream, DeliveryStreamName=name)
    ok("delete_delivery_stream")


creation()
from_stream()
lists()
tags()
encryption()
updates()
deletion()
