// Pages that the extension reads: an article of 50,000 words, 10 MB, and other scripts than Latin.

const TOPICS = [
  "The river rises in the mountains and is fed by melting snow in spring; floods were common before the dam was built.",
  "Bread is baked from flour, water, salt and yeast, and the dough rests overnight so that it rises slowly.",
  "The orchestra played two symphonies, and the conductor received a long applause from the audience.",
  "Trains leave every hour for the capital, and a seat can be reserved at the counter in the station.",
  "The software stores its settings in a file, which is read again each time that the program starts.",
  "Doctors advise patients to sleep well, to eat vegetables and to take their medicine after a meal.",
];
export const NEEDLE = "Citizens apply for new travel documents at the town hall and bring two photographs.";

const page = (title, body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title>
<style>body { font: 16px/1.6 Georgia, serif; max-width: 42em; margin: 2em auto; padding: 0 1em } @media (prefers-color-scheme: dark) { body { background: #1c1917; color: #e7e5e4 } }</style>
<h1>${title}</h1>${body}</html>`;

function paragraphs(words, needleAt) {
  const made = [];
  for (let count = 0, i = 0; count < words; ++i) {
    const text = `${TOPICS[i % 6]} Number ${i} of many.`;
    count += text.split(" ").length;
    made.push(`<p>${i === needleAt ? `${NEEDLE} ` : ""}${text.replace("water", "<b>wa</b>ter").replace("program", '<a href="#">program</a>')}</p>`);
  }
  return made.join("\n");
}

export const PAGES = {
  "/article": page("An article", `<nav hidden>travel documents hidden</nav><script>const x = "travel documents in a script"</script>${paragraphs(50_000, 400)}`),
  "/large": page("Ten megabytes", paragraphs(1_600_000, 30_000)),
  "/scripts": page(
    "Many scripts",
    `<p lang="ko">여권을 갱신하려면 시청에 사진 두 장을 가져가야 합니다. 빵은 밀가루와 물로 만듭니다.</p>
    <p lang="ar" dir="rtl">يتم تجديد جواز السفر في مبنى البلدية، ويجب إحضار صورتين.</p>
    <p>🎉 We celebrated the birthday 🎂 with the whole family 👨‍👩‍👧‍👦 in the garden.</p>
    <p>Le café\u0301 ouvre à huit heures; \u202bעברית\u202c stands here too.</p>
    <p>${"x".repeat(3000)}</p><p>${"\u{1f600}".repeat(900)}</p>`,
  ),
  "/growing": page("Growing", '<p>At first there is this.</p><script src="/later.mjs"></script>'),
};
