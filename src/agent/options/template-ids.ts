// Template ids of options, apart from those of data: both may share an observation domain.

/** They are fixed, so that collectors know them again. */
export const OPTIONS_TEMPLATE_IDS = {
  meteringStatistics: 500,
  meteringReliability: 501,
  exportingReliability: 502,
  flowKeys: 503,
  interfaceNames: 504,
  interfaceDescriptions: 505,
  extendedTypeInformation: 506,
} as const;

/** Kept for options: a configuration cannot give such an id to data. Both ends included. */
export const OPTIONS_TEMPLATE_RANGE = { first: 500, last: 599 } as const;
