// Vectors in panels for the kernels: each prefix adds whole panels of dimensions, the last one filled up with zeros.
#pragma once

#include <cstddef>
#include <vector>

#include "kernels.h"

namespace pumice::training {

class Prefixes {
 public:
  explicit Prefixes(std::vector<std::size_t> dims);  // ascending

  std::size_t levels() const { return panels_.size(); }
  std::size_t dim() const { return dims_.back(); }
  std::size_t panels() const { return first_panel_.back(); }
  // That each level adds, and the first of a level; one more than there are levels.
  const std::size_t* level_panels() const { return panels_.data(); }
  std::size_t first_panel(std::size_t level) const { return first_panel_[level]; }

  struct Part {
    std::size_t level, begin, count;  // dimensions of a panel
  };
  const std::vector<Part>& parts() const { return parts_; }

  // Vectors' rows into [panel][stride][kWide]; zeros where a panel is not filled.
  void pack(const float* vectors, std::size_t count, float* panels, std::size_t stride) const;
  // The kWide rows of panels that are `stride` rows apart, turned: [dimension][kWide].
  void turn(const float* panels, std::size_t stride, float* turned) const;
  // One over the length of each prefix of one vector, `stride` apart.
  void inverses(const float* vector, float* out, std::size_t stride) const;
  // gradient -= vector * (a prefix's part along the vector itself); `along` is that of each level, `inverses` as above.
  // A cosine does not change along its own vector. A dimension belongs to its own prefix and all longer ones.
  void subtract_radial(const float* vector, const float* along, const float* inverses, std::size_t stride,
                       float* gradient) const;

 private:
  std::vector<std::size_t> dims_, panels_, first_panel_;
  std::vector<Part> parts_;
};

}  // namespace pumice::training
