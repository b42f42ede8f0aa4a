/** The key under which answers hold a quantile: the level as C's %g prints it. */
export const levelKey = (level: number): string => String(Number(level.toPrecision(6)));
