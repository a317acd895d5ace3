// What training repeats for every pair of texts and every row: kernels for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pumice::training {

// Matrices lie in panels of kWide columns, one panel after another, each with all its rows: [panel][row][kWide].
inline constexpr std::size_t kWide = 32;
// Rows of a panel that is multiplied are a multiple of this.
inline constexpr std::size_t kTall = 8;
// Lanes that a row's sum is kept in until it is complete.
inline constexpr std::size_t kLanes = 16;
// A dot product that is no candidate's: its exponential is exactly 0, and adding to it leaves it.
inline constexpr float kNever = -1e30f;

// Products of anchors with one panel of candidates, at every prefix.
struct Dots {
  const float* anchors;       // [panel][rows][kWide]
  const float* candidates;    // [dimension][kWide]
  const float* begin;         // [kWide]: what a candidate's products begin from, 0 or kNever
  const std::size_t* panels;  // [levels]: of dimensions that each prefix has more than the one before
  std::size_t levels;
  std::size_t rows;  // a multiple of kTall
  float* dots;       // [level][rows][kWide]
};

// out[row][kWide] += left[row][depth] * right[depth][kWide]
struct Product {
  const float* left;  // [panel][rows][kWide], where a panel is kWide of the depth
  const float* right;
  std::size_t panels;
  std::size_t rows;  // a multiple of kTall
  float* out;
};

// out[column][kWide] += left[depth][column] * right[depth][kWide], for the kWide columns of a panel
struct TurnedProduct {
  const float* left;  // [depth][kWide]
  const float* right;
  std::size_t depth;
  float* out;
};

// One prefix of one panel of candidates: rows that are anchors, columns that are candidates.
struct Logits {
  const float* dots;   // [rows][kWide]
  const float* left;   // [rows]: one over each anchor's length
  const float* right;  // [kWide]: one over each candidate's
  std::size_t rows;
  float scale;
  const float* targets;  // [rows][stride], of these candidates; null: none
  std::size_t stride;
  std::size_t columns;  // that are candidates, and have targets
};

// Adds each row's and each column's sum of exp(scale * cosine), and each row's of target * scale * cosine.
struct Sums {
  float* rows;     // [rows][kLanes]
  float* columns;  // [kWide]
  float* own;      // [rows][kLanes]; untouched where there are no targets
};

// The loss's slope by each dot product, added to those of longer prefixes, and each row's and column's sum of it times
// the dot product.
struct Slopes {
  const float* by_row;     // [rows]
  const float* by_column;  // [kWide]; null: 0
  float share;             // of the targets
  float* total;            // [rows][kWide]
  bool first;              // nothing is in `total` yet
  float* along_rows;       // [rows][kLanes]
  float* along_columns;    // [kWide]
};

// Adam for rows of a table; each row's gradient is the weighted sum of texts' gradients.
struct AdamRows {
  float *table, *first, *second;  // [...][dim]
  std::size_t dim;
  const std::int32_t* rows;     // [count], of the table
  const std::int32_t* offsets;  // [count + 1]: where each row's texts begin
  std::size_t count;
  const std::int32_t* texts;
  const float* weights;                      // as `texts`; null: 1 each
  const float* gradients;                    // [texts][dim]
  float rest1, beta2, rest2, size, epsilon;  // rest: one minus beta
};

struct Kernels {
  const char* name;
  void (*dots)(const Dots&);
  void (*product)(const Product&);
  void (*turned_product)(const TurnedProduct&);
  void (*sums)(const Logits&, const Sums&);
  void (*slopes)(const Logits&, const Slopes&);
  void (*adam)(const AdamRows&);
};

extern const Kernels kAvx512Kernels;
extern const Kernels kAvx2Kernels;

// Those that this processor runs fastest; null where it has none.
const Kernels* kernels();

}  // namespace pumice::training
