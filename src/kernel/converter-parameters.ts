/** Parameters of converter scripts, by what they convert; the names are those of ThingsBoard's data converters. */
export const CONVERTER_PARAMETERS = {
  uplink: ['payload', 'metadata'],
  downlink: ['msg', 'metadata', 'msgType'],
} as const;
