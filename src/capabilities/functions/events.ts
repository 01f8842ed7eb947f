/** Log lines and metrics of the functions capability; it uses no other names. */
export const functionsEvents = {
  /** It cannot be run as it is: the line says what to do. */
  problem: 'function.problem',
  /** An Event failed for good and there is no stream for it. */
  dropped: 'function.event-failed',
  /** Events were gone from the log before they were run. */
  lost: 'function.events-lost',
  /** The worker of Events could not go on for now. */
  workerFailed: 'function.events-failed',
  bug: 'function.bug',
  /** The lines of a run could not be kept. */
  logLost: 'function.log-lost',
  invocations: 'functions_invocations_total',
  failures: 'functions_failures_total',
  throttles: 'functions_throttles_total',
  duration: 'functions_duration_ms',
  coldStart: 'functions_cold_start_ms',
  processes: 'functions_processes',
  running: 'functions_running',
  waiting: 'functions_waiting',
  eventsAccepted: 'functions_events_accepted_total',
  eventsRetried: 'functions_events_retried_total',
  eventsFailed: 'functions_events_failed_total',
  eventsLost: 'functions_events_lost_total',
  eventsWaiting: 'functions_events_waiting',
  logsLost: 'functions_logs_lost_total',
} as const;
