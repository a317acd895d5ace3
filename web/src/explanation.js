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

const MARKS = /^[\p{Mn}\p{Me}\p{Cf}]*$/u;
// In scripts that write no spaces a token is the word.
const UNSPACED = "\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u2e80-\\ua4cf\\uf900-\\ufaff\\u{20000}-\\u{3ffff}";
const BEGINS_SPACED = new RegExp(`^(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}]`, "u");

/** The words of a text as a reader sees them, `[begin, end, share]`, each with the sum of its tokens' shares. */
export function wordShares(text, spans, shares) {
  const words = [];
  spans.forEach(([begin, end], i) => {
    const last = words.at(-1);
    if (last && continues(text, spans[i - 1][1], begin)) [last[1], last[2]] = [Math.max(end, last[1]), last[2] + shares[i]];
    else words.push([begin, end, shares[i]]);
  });
  return words;
}

// Whether the token at `begin` goes on with the word that the one before `end` is of.
function continues(text, end, begin) {
  if (begin < end) return true; // both come from one character
  if (!MARKS.test(text.slice(end, begin))) return false;
  // Not by a `$`: V8 15.0 finds no letter there that is two units long.
  const last = [...text.slice(Math.max(end - 2, 0), end)].at(-1) ?? "";
  return BEGINS_SPACED.test(last) && BEGINS_SPACED.test(text.slice(begin, begin + 2));
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
