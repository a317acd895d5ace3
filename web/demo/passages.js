/** A text as passages: paragraphs, long ones cut at sentences. */

const LONGEST = 500;

export function passagesOf(text) {
  return text.split(/\n\s*\n/).flatMap(cut).map((part) => part.trim()).filter((part) => part.length > 1);
}

function cut(paragraph) {
  const parts = [];
  let rest = paragraph;
  while (rest.length > LONGEST) {
    const some = rest.slice(0, LONGEST);
    const sentence = Math.max(...[...some.matchAll(/[.!?。！？]\s|[。！？]/g)].map((match) => match.index + match[0].length), 0);
    let end = sentence > LONGEST / 4 ? sentence : some.lastIndexOf(" ") + 1;
    if (end < LONGEST / 4) end = LONGEST - (/[\ud800-\udbff]$/.test(some) ? 1 : 0);
    parts.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...parts, rest];
}
