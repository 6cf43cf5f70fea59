// Template ids of options, apart from those of data: both may share an observation domain.

/** They are fixed, so that collectors know them again; a configuration cannot take one of the range. */
export const OPTIONS_TEMPLATE_IDS = {
  first: 500,
  meteringStatistics: 500,
  meteringReliability: 501,
  exportingReliability: 502,
  flowKeys: 503,
  interfaceNames: 504,
  interfaceDescriptions: 505,
  extendedTypeInformation: 506,
  last: 599,
} as const;
