/** Which tokens make two texts similar: the cosine of static vectors is a sum over token pairs. */

/**
 * `{score, query, document, shares, queryShares, documentShares}` of two texts' tokens, as `model.tokenVectors` gives
 * them. `shares` is a Float64Array, query tokens × document tokens, and adds up to the score.
 */
export function explanationOf(query, document) {
  const dim = query.dim;
  const [unitQuery, unitDocument] = [overNormOfSum(query, dim), overNormOfSum(document, dim)];
  const [n, m] = [query.tokens.length, document.tokens.length];
  const shares = new Float64Array(n * m);
  const queryShares = new Float64Array(n);
  const documentShares = new Float64Array(m);
  let score = 0;
  for (let i = 0; i < n; ++i) {
    for (let j = 0; j < m; ++j) {
      let share = 0;
      for (let k = 0; k < dim; ++k) share += unitQuery[i * dim + k] * unitDocument[j * dim + k];
      shares[i * m + j] = share;
      queryShares[i] += share;
      documentShares[j] += share;
      score += share;
    }
  }
  return { score, query, document, shares, queryShares, documentShares };
}

/** What each token of `document` adds to its cosine with a query, in time that grows with the two texts' sum. */
export function documentShares(query, document) {
  const dim = query.dim;
  const [unitQuery, unitDocument] = [overNormOfSum(query, dim), overNormOfSum(document, dim)];
  const sum = sumOf(unitQuery, dim);
  const shares = new Float64Array(document.tokens.length);
  for (let j = 0; j < shares.length; ++j) {
    for (let k = 0; k < dim; ++k) shares[j] += sum[k] * unitDocument[j * dim + k];
  }
  return shares;
}

// The token vectors divided so that they add up to a unit vector, or zeros where to none.
function overNormOfSum({ vectors }, dim) {
  const norm = Math.sqrt(sumOf(vectors, dim).reduce((total, x) => total + x * x, 0));
  return norm > 0 ? Float64Array.from(vectors, (x) => x / norm) : new Float64Array(vectors.length);
}

function sumOf(vectors, dim) {
  const sum = new Float64Array(dim);
  for (let i = 0; i < vectors.length; ++i) sum[i % dim] += vectors[i];
  return sum;
}
