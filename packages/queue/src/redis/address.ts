/** Addresses of Redis and Valkey. */
const SCHEMES = /^(redis|rediss|valkey|valkeys):\/\//;

export const isRedisAddress = (address: string): boolean => SCHEMES.test(address);

/** Without the password, for messages. */
export const shownAddress = (address: string): string => address.replace(/\/\/[^@/]*@/, '//***@');
