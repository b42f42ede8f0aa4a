/** Forecasts of whole panels in bounded memory, by any number of workers. */
export {};
