// Multiple negatives ranking with Matryoshka prefixes on a processor's own instructions; ranking_loss.py says what it
// is. Each lane, a thread of the caller's, has its own part of the anchors and its own memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "buffer.h"
#include "kernels.h"
#include "prefixes.h"

namespace pumice::training {

// Everything stays the caller's until the batch is finished.
struct Batch {
  const float* anchors;  // [count][dim]
  std::size_t count;
  const float* candidates;  // [candidate_count][dim], the anchors' own first
  std::size_t candidate_count;
  const std::int64_t* excluded_anchors;  // pairs that are not counted
  const std::int64_t* excluded_candidates;
  std::size_t excluded;
  const float* targets;  // [count][candidate_count], or null: each anchor's own
  float* gradients;      // [count + candidate_count][dim]: anchors', then candidates'
};

class Ranking {
 public:
  struct Settings {
    std::vector<std::size_t> dims;  // ascending
    std::vector<float> weights;
    float scale;
    bool symmetric;
    std::size_t lanes;
  };

  Ranking(const Kernels& kernels, Settings settings);

  // In this order, each for all of its parts before the next; parts of one step may run side by side.
  void begin(const Batch& batch);
  std::size_t candidate_panels() const { return panels_; }
  void pack(std::size_t first_panel, std::size_t last_panel);
  // A lane's anchors: the sums of their rows, and the gradients too where there is one direction only.
  void forward(std::size_t lane, std::size_t first, std::size_t last);
  void meet();
  // The same anchors again, where both directions are ranked.
  void backward(std::size_t lane);
  // Candidates' gradients.
  void finish(std::size_t first, std::size_t last);
  // Of each prefix.
  std::vector<double> losses() const;

 private:
  struct Lane {
    std::size_t first = 0, last = 0;
    Buffer anchors;        // [chunk][panel][rows][kWide]
    Buffer inverses;       // [chunk][level][rows]
    Buffer row_sums;       // [chunk][level][rows]
    Buffer dots;           // [chunk][candidate panel][level][rows][kWide]
    Buffer lanes;          // [2][level][rows][kLanes]
    Buffer total;          // [candidate panel of a tile][rows][kWide]
    Buffer to_anchors;     // [panel][rows][kWide]
    Buffer to_candidates;  // [panel][candidate][kWide]
    Buffer columns;        // [level][candidate]
    Buffer along_columns;  // [level][candidate]
    std::vector<double> losses;
  };
  struct Chunk;

  Chunk chunk(Lane& lane, std::size_t low) const;
  void forward(Lane& lane, const Chunk& chunk);
  void backward(Lane& lane, const Chunk& chunk);
  void exclude(const Chunk& chunk, std::vector<std::int64_t>& places) const;
  Logits logits(const Chunk& chunk, std::size_t panel, std::size_t level) const;
  void subtract_own(Lane& lane, const Chunk& chunk, std::size_t panel, std::size_t level, float* total,
                    float* along_rows) const;
  float share(std::size_t level) const;

  const Kernels& kernels_;
  Settings settings_;
  Prefixes prefixes_;
  Batch batch_{};
  std::size_t panels_ = 0;   // of candidates
  std::size_t columns_ = 0;  // candidates, and what fills their last panel
  Buffer candidates_;        // [panel][columns][kWide]
  Buffer turned_;            // [candidate panel][dimension in panels][kWide]
  Buffer inverses_;          // [level][columns]
  Buffer by_column_;         // [level][columns]
  std::vector<double> column_losses_;
  std::vector<Lane> lanes_;
};

}  // namespace pumice::training
