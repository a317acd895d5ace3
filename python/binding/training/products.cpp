// All dot products of some vectors with others.
#include "products.h"

#include <algorithm>
#include <vector>

#include "buffer.h"
#include "prefixes.h"

namespace pumice::training {
namespace {

constexpr std::size_t kRows = 128;

}  // namespace

void dot_products(const Kernels& kernels, Vectors left, Vectors right, std::size_t dim, float* out,
                  std::size_t stride) {
  const Prefixes whole({dim});
  const std::size_t panels = (right.count + kWide - 1) / kWide;
  const std::size_t rows = std::min(kRows, (left.count + kTall - 1) / kTall * kTall);
  Buffer turned, packed, anchors, dots;
  float* const candidates = turned.room(panels * whole.panels() * kWide * kWide);
  float* const panel_rows = packed.zeros(whole.panels() * kWide * kWide);
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const std::size_t low = panel * kWide, count = std::min(kWide, right.count - low);
    whole.pack(right.data + low * dim, count, panel_rows, kWide);
    whole.turn(panel_rows, kWide, candidates + panel * whole.panels() * kWide * kWide);
  }
  float* const rows_of_panels = anchors.zeros(whole.panels() * rows * kWide);
  float* const tile = dots.room(rows * kWide);
  constexpr float kBegin[kWide] = {};
  for (std::size_t low = 0; low < left.count; low += rows) {
    const std::size_t count = std::min(rows, left.count - low);
    whole.pack(left.data + low * dim, count, rows_of_panels, rows);
    for (std::size_t panel = 0; panel < panels; ++panel) {
      kernels.dots({rows_of_panels, candidates + panel * whole.panels() * kWide * kWide, kBegin, whole.level_panels(),
                    1, rows, tile});
      const std::size_t columns = std::min(kWide, right.count - panel * kWide);
      for (std::size_t row = 0; row < count; ++row)
        std::copy_n(tile + row * kWide, columns, out + (low + row) * stride + panel * kWide);
    }
  }
}

}  // namespace pumice::training
