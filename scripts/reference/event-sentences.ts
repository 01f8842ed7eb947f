/** What each log line says. */
export const eventSentences: Readonly<Record<string, string>> = {
  'audit.lost':
    'A change was done or refused, and its entry of `$audit` could not be stored: it stands here in its place.',
  'aws.bug': 'An AWS action failed by a bug; answered with `InternalFailure` and this `requestId`.',
  'aws.failed': 'An AWS action failed because the disk or the system did.',
  'catalog.append.unknown': 'Whether a catalog change was written is not known yet; the same bytes are sent again.',
  'catalog.copy.waits': 'The copy of the catalog’s commands could not be written; it is tried again after a second.',
  'catalog.failed': 'The catalog can no longer follow its log, or differs from what others folded: the process ends.',
  'catalog.session.kept': 'The end of the catalog’s session could not be written; it is forgotten after a day.',
  'catalog.snapshot.failed': 'A snapshot of the catalog could not be kept; the log still holds everything.',
  'catalog.tidy.failed':
    'What older releases and deleted streams left in the catalog could not be put in order; the next start tries again.',
  'catalog.watcher.failed': 'A bug in what follows a change of the catalog.',
  'config.refused': 'The changed config file has this problem; the old one stays in force.',
  'config.reloaded': 'The changed config file is in force.',
  'config.restart-needed': 'What changed in this section is taken over at the next start.',
  'data-directory.claimed': 'This process owns the data directory, under this epoch.',
  'delivery.backed-up': 'A batch of records as they came has arrived in the backup at `place`.',
  'delivery.bug': 'An attempt to deliver failed by a bug; it is repeated.',
  'delivery.created': 'A delivery stream of the file did not exist and was created.',
  'delivery.done': 'A batch has arrived at `place`.',
  'delivery.drift': 'The file asks for something of a delivery stream that cannot be changed.',
  'delivery.error-output': 'Records were given up; lines about them, with their data, stand at `place`.',
  'delivery.failed': 'An attempt to deliver failed; it is repeated, later each time.',
  'delivery.fenced': 'The delivery stream was deleted, or somebody else delivers it.',
  'delivery.gave-up':
    'A function did not take records (or they were too old, or too large for an event), and they were given up.',
  'delivery.history-lost': 'What became of a batch could not be kept: nobody can be told where its records went.',
  'delivery.history-waits':
    'The log did not take what became of a batch; it is tried again with the next, unless the node ends before.',
  'delivery.paused': 'The delivery waits: its destination is `not built`, or it was `asked` to.',
  'delivery.refused': 'The destination took a batch without these records.',
  'delivery.replay-failed':
    'Records that were asked for once more could not be read or written; the replay ended with `failure`, and others go on.',
  'delivery.replayed': 'Records were delivered once more, as they were asked for.',
  'delivery.resumed': 'A paused delivery goes on.',
  'delivery.retention-exceeded':
    'Retention, the deletion of the stream or damage took records before they were delivered.',
  'delivery.updated': 'A delivery stream took over changed options of the file.',
  'event-loop.blocked':
    'One turn of the event loop took `maxMs`: nothing else was served meanwhile; at most one line a window.',
  'function.bug': 'A bug in what runs the events of functions; it goes on.',
  'function.event-failed':
    'An Event failed for good, and the function has no stream for failures, or none that takes it.',
  'function.events-failed': 'Events of functions, or their positions, could not be stored or read; tried again soon.',
  'function.events-lost':
    'Events of functions were gone from the log, or could not be read, before they were run: `events`, and why.',
  'function.log-lost': 'The lines of a run could not be kept.',
  'function.not-watched': 'Changes of a folder with code are not noticed; a restart takes them over.',
  'function.problem': 'A function cannot be run as it is; the line says what to do.',
  'function.reloaded': 'The code of a function has changed: events that come now run on the new one.',
  'gateway.dedupe-checkpoint-failed': 'Delivery ids could not be checkpointed; tried again soon.',
  'gateway.dedupe-rebuilt': 'The window of delivery ids is known again after a start.',
  'gateway.dedupe-window-short': '`idsMax` makes the window of delivery ids shorter than `windowHours`.',
  'gateway.key-set-unavailable': 'The keys behind a `jwks` URL could not be had; earlier ones stay good for a day.',
  'gateway.missing-function': 'A route calls a function that does not exist: its requests fail.',
  'gateway.missing-stream': 'A route writes to a stream that does not exist: it answers 503.',
  'gateway.pull-bug': 'Looking for missed deliveries of a hook ended by a bug; its position is kept.',
  'gateway.pull-continued': 'Missed deliveries of a hook are looked for again.',
  'gateway.pull-failed': 'GitHub could not be asked for missed deliveries; tried again after `waitMs`.',
  'gateway.pull-ahead':
    'More than 1,000 attempts have times that are to come, by so much: is the clock slow? So many will be met again at each look, by functions too.',
  'gateway.pull-gap': 'Nobody looked for longer than GitHub keeps deliveries: some of these times may be lost.',
  'gateway.pull-paused': 'Missed deliveries of a hook are not looked for until it is resumed.',
  'gateway.pulled': 'Deliveries that nobody had taken were found, and this became of them.',
  'gateway.pulled-lost': 'GitHub does not have a missed delivery any more.',
  'gateway.pulled-refused': 'The route does not take a missed delivery; it is passed by.',
  'gateway.records-left-out':
    'Records of a request of Firehose could not be kept: how many, and what was wrong with the first; as rare as refusals.',
  'gateway.request-log-lost': 'Entries of the log of requests could not be written; their records are not concerned.',
  'gateway.refused':
    'A request was refused; at most one line in ten seconds for each route and code, `unlogged` counts the rest.',
  'gateway.unverified-route': 'A route takes requests of everybody (`verify: none`).',
  'http.bug': 'A request failed by a bug; answered with 500 and this `requestId`.',
  'http.listener': 'The system reports a problem of a listener.',
  'ingest.bug': 'A bug ended what runs a source; its position is kept.',
  'ingest.continued': 'A source goes on.',
  'ingest.event-too-large': 'An event is larger than a record of the stream may be, and is left out.',
  'ingest.fenced': 'Somebody else runs this source.',
  'ingest.gave-up': 'A function did not take an event of a source, and it was given up.',
  'ingest.paused': 'A source was told to rest.',
  'ingest.position-not-stored': 'How far a source is could not be written; tried again.',
  'ingest.started': 'A source begins, or goes on where it was; `records` were looked at to find the place.',
  'ingest.store-waits': 'What a source brought cannot be stored for now; it waits, and the source is not read on.',
  'kinesis.stream-created': 'A stream of the file did not exist and was created.',
  'kinesis.stream-drift': 'The file asks for something that differs from the stream as it is.',
  'kinesis.stream-updated': 'The file changed what it may of a stream: a longer retention, or its tags.',
  'log.damaged': 'A durable place of the log does not hold what was written there; reading it answers an error.',
  'log.drop.unmarked': 'A shard is gone, but the log could not note it; the next start drops it again.',
  'log.failed': 'The disk did not confirm a write: the process ends with exit code 70.',
  'log.full': 'The disk is full: appends are refused, reads go on.',
  'log.opened': 'The log was recovered; `cutBytes` is what a crash left unfinished.',
  'log.reserve.failed': 'The reserve for a full disk could not be made.',
  'log.seal.failed':
    'The index of a segment could not be written, and is tried again; until then a start reads the whole file. Told once for each cause until one is written.',
  'log.segment.deleted': 'Nobody needs a record of this segment any more.',
  'log.close.failed':
    'A file of the log of which the disk had confirmed everything could not be closed; nothing is lost.',
  'log.segment.stuck': 'A segment that nobody needs could not be removed; the next start tries again.',
  'log.snapshot.damaged': 'A snapshot of the catalog is damaged; the one before it is taken.',
  'log.settle.failed': 'Files of the log could not be settled; they stay as they are.',
  'log.settled': 'What is needed of some files was copied into one.',
  'log.space.low': 'The log takes more than 85 % of what it may.',
  'log.tail.cut': 'The unfinished end of the last write before a crash was cut.',
  'log.writable': 'The disk has room again: appends are taken.',
  'node.failed': 'The node ends, since it can no longer promise durability.',
  'node.ready': 'All listeners answer; `sync` says what answers wait for.',
  's3.no-conditions':
    'The S3 of `s3` knows no `If-None-Match` for `action`: before it is asked for, it is looked whether the object is there.',
  'script.worker-ended':
    'A thread that runs scripts was ended since the call of `script` did not end in time, or it ended by itself.',
  'shard.release.failed': 'A shard’s writer could not be given up in order.',
  'sse.connected': 'The event stream of a source has begun; `hasPosition`: it goes on where it was.',
  'sse.disconnected': 'An event stream ended or did not begin; tried again after `waitMs`.',
  'sse.ended': 'The server says that there is no more (204): the source ends until it is resumed.',
  'sse.event-too-large': 'Events larger than `maxEventBytes` were left out.',
  'sse.id-cannot-be-sent': 'An id of an event is no text that a header may hold, or too long: it is no position.',
  'sse.option-without-effect': 'A word of a source, or of its file of properties, changes nothing.',
  'sse.rate': 'How many events came since the last line like this, as `reportMessagesReceivedMS` asks for.',
  'stream.drop.failed': 'A deleted stream’s shards could not be dropped; the next start drops them.',
  'stream.shard.forget-failed': 'Closed shards that keep nothing any more could not be given up; it is tried again.',
  'stream.shard.closed-again': 'The log lost the end of a closed shard; it was written again.',
  'tls.certificate-changed': 'Another certificate is shown to whoever connects from now on.',
  'tls.certificate-not-kept': 'The disk is full: the certificate goes with the process.',
  'tls.certificate-refused': 'The files of the certificate changed to what cannot be used; the old one stays.',
  'stream.reshard.waits': 'The log refused to finish a reshard; it is tried again.',
};

/** What each metric counts, with its labels. */
export const metricSentences: Readonly<Record<string, string>> = {
  audit_lost_total: 'Entries of `$audit` that could not be stored; each is a log line.',
  audit_skipped_total: 'Changes refused to a key pair, beyond the 60 a minute of it that `$audit` keeps.',
  aws_failures_total: 'AWS actions that failed because the disk or the system did.',
  aws_firehose_backup_to_s3_attempts_total: 'Attempts to write a batch to the backup of all records, by `delivery`.',
  aws_firehose_backup_to_s3_data_freshness_ms:
    'Age of the oldest record that was read and does not stand in the backup of all records, each 5 s and after each attempt, by `delivery`; 0: none waits.',
  aws_firehose_backup_to_s3_success_total:
    'Batches that stand in the backup of all records, by `delivery`; over the attempts it is AWS’s Success.',
  aws_firehose_data_read_from_kinesis_stream_bytes_total:
    'Bytes of records read from the source stream to be processed or delivered, by `delivery` (AWS: DataReadFromKinesisStream.Bytes).',
  aws_firehose_data_read_from_kinesis_stream_records_total:
    'Records read from the source stream to be processed or delivered, by `delivery` (AWS: DataReadFromKinesisStream.Records).',
  aws_firehose_delivery_to_s3_object_count_total:
    'Objects written to S3, by `delivery` (AWS: DeliveryToS3.ObjectCount).',
  aws_firehose_incoming_put_requests_total:
    'Calls of PutRecord and PutRecordBatch of which records were stored, by `delivery` (AWS: IncomingPutRequests).',
  aws_firehose_kinesis_behind_latest_ms:
    'Age of the oldest record of the source stream that was not read yet, each 5 s, by `delivery`; 0: all were (AWS: KinesisMillisBehindLatest).',
  aws_firehose_put_record_batch_bytes_total:
    'Bytes of records in calls of PutRecordBatch, by `delivery` (AWS: PutRecordBatch.Bytes).',
  aws_firehose_put_record_batch_latency_ms:
    'Duration of calls of PutRecordBatch until their records were durable, by `delivery` (AWS: PutRecordBatch.Latency).',
  aws_firehose_put_record_batch_records_total:
    'Records in calls of PutRecordBatch, by `delivery` (AWS: PutRecordBatch.Records).',
  aws_firehose_put_record_batch_requests_total:
    'Calls of PutRecordBatch, by `delivery` (AWS: PutRecordBatch.Requests).',
  aws_firehose_put_record_bytes_total: 'Bytes of records in calls of PutRecord, by `delivery` (AWS: PutRecord.Bytes).',
  aws_firehose_put_record_latency_ms:
    'Duration of calls of PutRecord until their record was durable, by `delivery` (AWS: PutRecord.Latency).',
  aws_firehose_put_record_requests_total: 'Calls of PutRecord, by `delivery` (AWS: PutRecord.Requests).',
  aws_firehose_backup_to_s3_bytes_total: 'Bytes of records written to the backup as they came, by `delivery`.',
  aws_firehose_backup_to_s3_records_total: 'Records written to the backup as they came, by `delivery`.',
  aws_firehose_execute_processing_duration_ms:
    'Duration of calls of the function, or URL, that processes records, by `delivery` (AWS: ExecuteProcessing.Duration).',
  aws_firehose_execute_processing_success_total:
    'Calls that gave an answer about their records, by `delivery`; over the number of durations it is AWS’s ExecuteProcessing.Success.',
  aws_firehose_succeed_processing_bytes_total:
    'Bytes of the records that were processed or dropped, as they came, by `delivery` (AWS: SucceedProcessing.Bytes).',
  aws_firehose_succeed_processing_records_total:
    'Records that were processed or dropped, by `delivery` (AWS: SucceedProcessing.Records).',
  aws_firehose_delivery_to_amazon_open_search_service_attempts_total:
    'Attempts to deliver a batch to OpenSearch, by `delivery`.',
  aws_firehose_delivery_to_amazon_open_search_service_bytes_total:
    'Bytes of records of the batches to OpenSearch, by `delivery`.',
  aws_firehose_delivery_to_amazon_open_search_service_data_freshness_ms:
    'Age of the oldest record that was read and has not arrived at OpenSearch, each 5 s and after each attempt, by `delivery`; 0: none waits.',
  aws_firehose_delivery_to_amazon_open_search_service_records_total:
    'Records that arrived at OpenSearch, by `delivery`.',
  aws_firehose_delivery_to_amazon_open_search_service_success_total:
    'Batches of which records arrived at OpenSearch, by `delivery`; over the attempts it is AWS’s Success.',
  aws_firehose_delivery_to_http_endpoint_attempts_total:
    'Attempts to deliver a batch to an HTTP endpoint, by `delivery`.',
  aws_firehose_delivery_to_http_endpoint_bytes_total:
    'Bytes of records of the batches to an HTTP endpoint, by `delivery`.',
  aws_firehose_delivery_to_http_endpoint_data_freshness_ms:
    'Age of the oldest record that was read and has not arrived at an HTTP endpoint, each 5 s and after each attempt, by `delivery`; 0: none waits.',
  aws_firehose_delivery_to_http_endpoint_records_total: 'Records that arrived at an HTTP endpoint, by `delivery`.',
  aws_firehose_delivery_to_http_endpoint_success_total:
    'Batches of which records arrived at an HTTP endpoint, by `delivery`; over the attempts it is AWS’s Success.',
  aws_firehose_delivery_to_s3_attempts_total: 'Attempts to deliver a batch to S3, by `delivery`.',
  aws_firehose_delivery_to_s3_bytes_total: 'Bytes of records of the batches to S3, by `delivery`.',
  aws_firehose_delivery_to_s3_data_freshness_ms:
    'Age of the oldest record that was read and has not arrived at S3, each 5 s and after each attempt, by `delivery`; 0: none waits.',
  aws_firehose_delivery_to_s3_records_total: 'Records that arrived at S3, by `delivery`.',
  aws_firehose_delivery_to_s3_success_total:
    'Batches of which records arrived at S3, by `delivery`; over the attempts it is AWS’s Success.',
  aws_firehose_incoming_bytes_total: 'Bytes of records put directly, by `delivery`.',
  aws_firehose_incoming_records_total: 'Records put directly, by `delivery`.',
  aws_firehose_throttled_records_total: 'Records put directly and not stored, by `delivery`.',
  aws_unsigned_total: 'Requests refused by their signature, by `code`; while there are `server.credentials`.',
  catalog_commands_total: 'Commands folded into the catalog.',
  catalog_snapshot_ms: 'From a marker’s turn to its snapshot being worked out and, by its writer, stored.',
  catalog_waiting_changes: 'Changes that wait for the catalog’s log.',
  encoding_waiting_pieces: 'Pieces of objects that wait for their turn to be encoded, by `format`: gzip or snappy.',
  event_loop_delay_ms: 'How late the event loop came to what was due in the last 10 seconds; `of` is `max` or `p99`.',
  firehose_data_freshness_ms: 'Age of the oldest record of the last batch that a function took, by `delivery`.',
  firehose_delivered_bytes_total: 'Bytes of records delivered, by `delivery`.',
  firehose_delivered_objects_total: 'Batches delivered, by `delivery`.',
  firehose_delivered_records_total: 'Records delivered, by `delivery`.',
  firehose_failed_attempts_total: 'Failed attempts to deliver, by `delivery`.',
  firehose_failed_records_total:
    'Records that a destination did not take, or that were too old or too large for a function, and were given up, by ' +
    '`delivery`.',
  firehose_function_event_bytes:
    'Bytes of the events that functions have at this moment, with the records they are made of: at most 64 MiB.',
  firehose_history_waiting_bytes:
    'Bytes of what became of batches that the log did not take and that is tried again with the next, by `delivery`.',
  firehose_held_bytes:
    'Memory that deliveries hold at this moment, over all of them, by `use`: `attempts` to deliver (at most 256 MiB), and ' +
    '`scans` of what came (16 MiB); what does not fit waits in order.',
  firehose_waiting_for_memory: 'Attempts and scans of deliveries that wait for memory, by `use`.',
  firehose_lost_records_total: 'Records that retention removed before they were delivered, by `delivery`.',
  thread_waiting_bodies:
    'Large bodies of requests that wait for a thread: to be inflated, or to have a public-key signature looked at.',
  outgoing_requests: 'Requests to other servers whose answer has not begun yet.',
  firehose_possible_duplicates_total:
    'Records sent again while the attempt before may have arrived (no answer came, or the process ended), by `delivery`.',
  functions_cold_start_ms: 'From the start of a process to its first event, by `function`.',
  functions_duration_ms: 'Duration of runs, by `function`.',
  functions_events_accepted_total: 'Events accepted to be run later, by `function`.',
  functions_events_failed_total: 'Events that failed for good, by `function`.',
  functions_events_lost_total:
    'Events that were gone from the log, or could not be read, before they were run, by `cause`.',
  functions_events_retried_total: 'Events that failed and will be tried again, by `function`.',
  functions_events_waiting: 'Events that are not done, those that wait for another try included.',
  functions_failures_total: 'Runs that failed, by `function`.',
  functions_invocations_total: 'Runs, by `function`.',
  functions_logs_lost_total: 'Runs whose lines could not be kept, by `function`.',
  functions_processes: 'Processes, by `function`.',
  functions_running: 'Events that are being run, by `function`.',
  functions_throttles_total: 'Events refused since too many waited, by `function`.',
  functions_waiting: 'Events that wait for a process, by `function`.',
  gateway_bytes_total: 'Bytes of accepted bodies, by `route`; repeats not counted.',
  gateway_dedupe_checkpoint_failures_total: 'Checkpoints of delivery ids that failed.',
  gateway_dedupe_checkpointed_ids_total: 'Delivery ids checkpointed.',
  gateway_dedupe_ids: 'Delivery ids known, by `route`.',
  gateway_dedupe_window_ms: 'How far back repeats are told in fact, by `route`.',
  gateway_pull_failures_total: 'Times that GitHub could not be asked for missed deliveries, by `hook`.',
  gateway_pull_waiting: 'Missed deliveries that are known and not fetched yet, by `hook`.',
  gateway_pulled_deliveries_total:
    'Missed deliveries by `hook` and `outcome`: `stored`, `repeated` (known already), `refused`, `lost`.',
  gateway_request_ms: 'From the request to its answer, accepted requests only, by `route`.',
  gateway_redeliveries_total: 'Requests of the log that were sent on, by `route` and `outcome`.',
  gateway_request_log_lost_total: 'Entries of the log of requests that could not be written.',
  gateway_requests_not_logged_total:
    'Requests that are not in the log, by `route` and `cause`: sampled (refused ones) or full (too much waits).',
  gateway_requests_total:
    'Requests by `route` and `outcome`: that of the verdict, such as accepted, or the code of the refusal.',
  gateway_requests_with_left_out_records_total: 'Requests of Firehose with records that could not be kept, by `route`.',
  http_bugs_total: 'Requests that failed by a bug.',
  http_connections: 'Open connections, by `listener`.',
  http_connections_refused_total: 'Connections closed as they came, above `limits.connectionsMax`, by `listener`.',
  http_floods_total:
    'HTTP/2 connections cut for pings, settings or requests taken back beyond what one is forgiven, by `listener`.',
  http_handshakes_failed_total: 'TLS handshakes that came to nothing, by `listener`.',
  http_handed_over_total: 'Connections with an unusual request, which the platform’s parser reads on, by `listener`.',
  http_in_flight_bytes: 'Bytes that requests and answers hold of `limits.inFlightBytesMax`.',
  http_in_flight_waiting: 'Requests that wait for room among these bytes.',
  ingest_failed_events_total: 'Events too large for a record, or that a function did not take, by `source`.',
  ingest_pending_bytes: 'Bytes of events that wait to be stored, by `source`: at most 8 MiB and what came at once.',
  ingest_received_events_total: 'Events that a source brought, by `source`.',
  ingest_repeated_events_total: 'Events that were stored before, and were left out, by `source`.',
  ingest_store_ms: 'How long a batch of events took to be durable, by `source`; of a function, each run.',
  ingest_stored_bytes_total: 'Bytes of events stored, by `source`.',
  ingest_stored_events_total: 'Events stored, by `source`.',
  ingest_window_ids: 'Events that a repeat is known by, by `source`: at most 65,536.',
  kinesis_fan_out_bytes:
    'Bytes of events that subscriptions read or have not sent yet; at most 64 MiB, and 64 KiB more for each subscription.',
  kinesis_fan_out_waiting: 'Subscriptions that wait for room among these bytes.',
  kinesis_in_bytes_total: 'Bytes of data and partition keys stored, by `stream`.',
  kinesis_out_bytes_total: 'Bytes of data and partition keys read, by `stream`.',
  kinesis_records_in_total: 'Records stored, by `stream`.',
  kinesis_records_out_total: 'Records read, by `stream`.',
  kinesis_records_refused_total: 'Records not stored, by `stream`.',
  kinesis_subscriptions: 'Subscriptions that go on.',
  kinesis_subscriptions_cut_total: 'Subscriptions cut since they took nothing while others waited for memory.',
  log_commits_total: 'Commits: one write and one sync each.',
  log_pending_bytes: 'Bytes that wait for the disk, those being written included.',
  log_refused_total: 'Appends refused, by `reason`: `pending` (too much waits) or `full` (the disk).',
  log_sync_ms: 'Duration of each sync.',
  log_cut_bytes: 'Bytes of unfinished commits that the start cut from the end of the log.',
  log_damaged_places: 'Places of the log found damaged since the start.',
  log_disk_bytes: 'Size of all files of the log.',
  log_info: 'Always 1; what answers wait for, as `sync`: always, interval or none.',
  log_index_cache_bytes: 'Memory for indexes of sealed segments.',
  log_segments: 'Files of the log.',
  log_settled_bytes_total: 'Bytes written by the cleaner.',
  log_unsettled_bytes: 'Bytes of files whose records lie scattered and wait to be settled.',
  log_written_bytes_total: 'Bytes written to the log.',
  script_calls_total: 'Calls of scripts, by `outcome`: ok, or the kind of the failure.',
  script_waiting_bytes: 'Bytes of arguments of scripts that wait or run.',
  script_workers: 'Threads that run scripts, or wait for some to run.',
  script_workers_ended_total: 'Threads that ended with a call of a script, by `reason`: time or crash.',
  sse_disconnects_total: 'Event streams that ended or did not begin, by `source`.',
  sse_skipped_events_total: 'Events left out by their type or by `skip`, by `source`.',
  sse_too_large_events_total: 'Events left out since they are larger than `maxEventBytes`, by `source`.',
};
