/**
 * The ascending sequence nearest to the given one in least squares, by pooling adjacent violators
 * (Ayer et al. 1955): neighbours in the wrong order share their mean.
 */
export const isotonic = (values: ArrayLike<number>): Float64Array => {
  const pools: { total: number; count: number }[] = [];
  for (let i = 0; i < values.length; i++) {
    let pool = { total: values[i]!, count: 1 };
    for (
      let last = pools.at(-1);
      last && last.total / last.count > pool.total / pool.count;
      last = pools.at(-1)
    ) {
      pools.pop();
      pool = { total: last.total + pool.total, count: last.count + pool.count };
    }
    pools.push(pool);
  }
  const ascending = new Float64Array(values.length);
  let at = 0;
  for (const { total, count } of pools) {
    ascending.fill(total / count, at, at + count);
    at += count;
  }
  return ascending;
};
