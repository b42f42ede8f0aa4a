/** Addresses of Redis and Valkey. */
const SCHEMES = /^(redis|rediss|valkey|valkeys):\/\//;

/** Whether an address is one of Redis or Valkey, with or without TLS. */
export const isRedisAddress = (address: string): boolean => SCHEMES.test(address);

/** Without the password, for messages. */
export const shownAddress = (address: string): string => address.replace(/\/\/[^@/]*@/, '//***@');
