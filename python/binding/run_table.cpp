// Runs of letters that were met before, and the numbers of the words in them: a run is read once.
#include "run_table.h"

#include <algorithm>
#include <cstring>

namespace pumice {
namespace {

constexpr std::size_t kBlock = 1 << 20;
constexpr std::size_t kFirstSlots = 1 << 12;
// Above either, everything is forgotten before the next texts: some 100 MB.
constexpr std::size_t kMostRuns = 1 << 20;
constexpr std::size_t kMostBytes = 64 << 20;

enum Kind : std::uint8_t { kBetween, kLetter, kBeyondAscii };

struct Kinds {
  std::uint8_t of[256] = {};
  constexpr Kinds() {
    for (unsigned c = 0; c < 256; ++c) {
      const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      of[c] = c >= 0x80 ? kBeyondAscii : letter ? kLetter : kBetween;
    }
  }
};
constexpr Kinds kKinds;

std::uint32_t three(const unsigned char* at) { return (at[0] & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu); }

std::size_t length(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

// Bytes of a character that belongs to no word in any script; 0 for any other. tests/search/test_terms.py holds these
// against bm25.py, character by character.
std::size_t between(const unsigned char* at) {
  if (at[0] == 0xC2) {  // U+0080 to U+00BF but for ª ² ³ µ ¹ º ¼ ½ ¾
    const unsigned char c = at[1];
    return c < 0xAA || (c > 0xAA && c < 0xB2) || c == 0xB4 || (c > 0xB5 && c < 0xB9) || c == 0xBB || c == 0xBF ? 2 : 0;
  }
  if (at[0] == 0xE2) return (at[1] == 0x80 || (at[1] == 0x81 && at[2] < 0xB0)) ? 3 : 0;  // U+2000 to U+206F
  if (at[0] != 0xE3 && at[0] != 0xEF) return 0;
  const std::uint32_t point = three(at);
  const bool ideographic = point >= 0x3000 && point <= 0x3020 && !(point >= 0x3005 && point <= 0x3007);
  const bool full_width = (point >= 0xFF01 && point <= 0xFF0F) || (point >= 0xFF1A && point <= 0xFF20);
  return ideographic || full_width ? 3 : 0;
}

constexpr std::string_view kSigma = "\xCE\xA3";  // the capital one: final or not by the letters about it

// Bytes of a character that belongs to no word and that the look for those letters does not skip, as it does the
// marks of Unicode's Case_Ignorable; 0 for any other.
std::size_t between_sigmas(const unsigned char* at) {
  constexpr std::string_view kSkipped = "'.:^`";
  if (kKinds.of[*at] == kBetween) return kSkipped.find(static_cast<char>(*at)) == std::string_view::npos ? 1 : 0;
  return *at == 0xE3 ? between(at) : 0;  // Chinese and Japanese punctuation
}

// Characters that NFKC and lower-casing leave alone, beside each other too, and that are read in pairs.
bool is_paired(const unsigned char* at) {
  if (at[0] < 0xE3 || at[0] >= 0xEF) return false;
  const std::uint32_t point = three(at);
  return (point >= 0x4E00 && point <= 0x9FFF) || (point >= 0xAC00 && point <= 0xD7A3) ||
         (point >= 0x3041 && point <= 0x3096) || (point >= 0x30A1 && point <= 0x30FA) || point == 0x30FC ||
         (point >= 0x3400 && point <= 0x4DBF);
}

std::uint64_t hash_of(std::string_view run) {
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = run.size() * kFactor;
  const char* at = run.data();
  std::size_t left = run.size();
  const auto mix = [&](std::uint64_t word) {
    hash = (hash ^ word) * kFactor;
    hash ^= hash >> 29;
  };
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < left; ++i) word |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  mix(word);
  return hash ^ hash >> 32;
}

struct Remainders {
  std::uint32_t of[256] = {};
  constexpr Remainders() {
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
      of[byte] = byte;
      for (int bit = 0; bit < 8; ++bit) of[byte] = of[byte] >> 1 ^ (of[byte] & 1 ? 0xEDB88320u : 0u);
    }
  }
};
constexpr Remainders kRemainders;

// As zlib has it.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char byte : bytes) crc = kRemainders.of[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ crc >> 8;
  return ~crc;
}

// Places of a text's numbers among its terms.
class Places {
 public:
  void begin(std::size_t most) {
    std::size_t size = 64;
    while (size < 2 * most) size *= 2;
    if (cells_.size() < size) cells_.assign(size, {}), text_ = 0;
    if (++text_ == 0) cells_.assign(cells_.size(), {}), text_ = 1;
    mask_ = size - 1;
  }

  // The place of a number; `next` for one not met in this text, which takes it.
  std::uint32_t of(std::uint32_t number, std::uint32_t next) {
    for (std::size_t slot = number * std::uint64_t{0x9E3779B1u} >> 7 & mask_;; slot = (slot + 1) & mask_) {
      Cell& cell = cells_[slot];
      if (cell.text != text_) {
        cell = {text_, number, next};
        return next;
      }
      if (cell.number == number) return cell.place;
    }
  }

 private:
  struct Cell {
    std::uint32_t text = 0, number = 0, place = 0;
  };
  std::vector<Cell> cells_;
  std::uint32_t text_ = 0;
  std::size_t mask_ = 0;
};

}  // namespace

void RunTable::cut(const std::vector<std::string_view>& texts) {
  if (entries_.size() > kMostRuns || bytes_ > kMostBytes) clear();
  runs_.clear();
  ends_.clear();
  unknown_.clear();
  if (slots_.empty()) slots_.resize(kFirstSlots);
  for (const std::string_view text : texts) {
    if (text.find(kSigma) != std::string_view::npos) {
      cut_with_sigmas(text);
    } else {
      cut_one(text);
    }
    ends_.push_back(runs_.size());
  }
}

void RunTable::learn(Entry& entry, const std::uint32_t* numbers, std::size_t count) {
  entry.begin = static_cast<std::uint32_t>(numbers_.size());
  entry.count = static_cast<std::uint32_t>(count);
  numbers_.insert(numbers_.end(), numbers, numbers + count);
}

TextTerms RunTable::count() {
  TextTerms terms;
  terms.offsets.reserve(ends_.size() + 1);
  terms.offsets.push_back(0);
  terms.numbers.reserve(runs_.size());
  terms.times.reserve(runs_.size());
  Places places;
  std::size_t run = 0;
  for (const std::size_t end : ends_) {
    const std::size_t first = terms.numbers.size();
    std::size_t most = 0;
    for (std::size_t i = run; i < end; ++i) most += entries_[runs_[i]].count;
    places.begin(most);
    for (; run < end; ++run) {
      const Entry& entry = entries_[runs_[run]];
      for (std::uint32_t i = entry.begin; i < entry.begin + entry.count; ++i) {
        const auto next = static_cast<std::uint32_t>(terms.numbers.size() - first);
        const std::uint32_t place = places.of(numbers_[i], next);
        if (place == next) {
          terms.numbers.push_back(numbers_[i]);
          terms.times.push_back(0);
        }
        ++terms.times[first + place];
      }
    }
    terms.offsets.push_back(static_cast<std::int64_t>(terms.numbers.size()));
  }
  return terms;
}

void RunTable::clear() { *this = RunTable(); }

void RunTable::cut_one(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  for (std::size_t at = 0; at < size;) {
    if (kKinds.of[bytes[at]] == kBetween) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    bool pairs = true;
    std::size_t gap = 0;
    while (at < size) {
      const std::uint8_t kind = kKinds.of[bytes[at]];
      if (kind == kBetween) break;
      if (kind == kLetter) {
        pairs = false;
        ++at;
        continue;
      }
      if ((gap = between(bytes + at)) != 0) break;
      pairs = pairs && is_paired(bytes + at);
      at += length(bytes[at]);
    }
    const std::string_view run = text.substr(begin, at - begin);
    at += gap;
    if (run.empty()) continue;
    if (pairs) {
      add_pairs(run);
    } else {
      add(run);
    }
  }
}

void RunTable::cut_with_sigmas(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    std::size_t gap = 0;
    while (at < text.size() && (gap = between_sigmas(bytes + at)) == 0) at += length(bytes[at]);
    const std::string_view part = text.substr(begin, at - begin);
    at += gap;
    if (part.find(kSigma) != std::string_view::npos) {
      add(part);
    } else {
      cut_one(part);
    }
  }
}

void RunTable::add_pairs(std::string_view run) {
  const std::size_t width = run.size() == 3 ? 3 : 6;
  for (std::size_t at = 0; at + width <= run.size(); at += 3) {
    const std::size_t before = entries_.size();
    const std::string_view pair = run.substr(at, width);
    const std::uint32_t place = place_of(pair);
    if (entries_.size() > before) {
      const std::uint32_t number = crc32(pair);
      learn(entries_.back(), &number, 1);
    }
    runs_.push_back(place);
  }
}

void RunTable::add(std::string_view run) {
  const std::size_t before = entries_.size();
  const std::uint32_t place = place_of(run);
  if (entries_.size() > before) unknown_.push_back(place);
  runs_.push_back(place);
}

std::uint32_t RunTable::place_of(std::string_view run) {
  const std::uint64_t hash = hash_of(run);
  std::size_t slot = hash & (slots_.size() - 1);
  for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    const std::uint32_t place = slots_[slot] - 1;
    if (entries_[place].hash == hash && entries_[place].run == run) return place;
  }
  const auto place = static_cast<std::uint32_t>(entries_.size());
  entries_.push_back({kept(run), hash});
  slots_[slot] = place + 1;
  if (2 * entries_.size() > slots_.size()) grow();
  return place;
}

void RunTable::grow() {
  std::vector<std::uint32_t> slots(2 * slots_.size());
  for (std::uint32_t place = 0; place < entries_.size(); ++place) {
    std::size_t slot = entries_[place].hash & (slots.size() - 1);
    while (slots[slot] != 0) slot = (slot + 1) & (slots.size() - 1);
    slots[slot] = place + 1;
  }
  slots_ = std::move(slots);
}

std::string_view RunTable::kept(std::string_view run) {
  if (run.size() > room_) {
    room_ = std::max(kBlock, run.size());
    blocks_.push_back(std::make_unique<char[]>(room_));
    free_ = blocks_.back().get();
  }
  std::memcpy(free_, run.data(), run.size());
  const std::string_view held(free_, run.size());
  bytes_ += run.size();
  free_ += run.size();
  room_ -= run.size();
  return held;
}

}  // namespace pumice
