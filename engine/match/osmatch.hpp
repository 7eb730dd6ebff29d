#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace picket::engine {

/// OSMatch (decoders.md 2.2): alternatives of anchored or free literals, without letter case; no position, no
/// captures.
class osmatch {
public:
  static constexpr std::size_t pattern_bytes_max = 20'480;

  static tl::expected<osmatch, std::string> compile(std::string_view text);

  bool search(std::string_view input) const noexcept;

private:
  struct alternative {
    std::string literal; ///< folded
    bool begin = false;
    bool end = false;

    bool matches(std::string_view input) const noexcept;
  };

  std::vector<alternative> alternatives_;
  bool inverted_ = false; ///< began with `!`
};

} // namespace picket::engine
