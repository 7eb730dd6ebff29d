#pragma once

#include "engine/match/pattern.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace picket::engine {

using byte_set = std::array<bool, 256>;

/// OSRegex (decoders.md 2.3). It looks like a regular expression and is none: `search` is the step list
/// of 2.3.3.
class osregex {
public:
  static constexpr std::size_t pattern_bytes_max = 20'480;

  /// `captures`: record groups, if there are any.
  static tl::expected<osregex, std::string> compile(std::string_view text, bool captures);

  /// Fills `captures` on success. `marks` is memory to work in. Takes at most `steps` steps and leaves there
  /// what was not needed; with too few of them it gives up and says no match.
  match_result search(std::string_view input, std::vector<std::string_view>& captures,
                      std::vector<std::int64_t>& marks, std::uint64_t& steps, bool& gave_up) const;

  /// Greatest number of groups of an alternative.
  std::size_t groups() const noexcept;

private:
  enum class kind : std::uint8_t { end, literal, mark, set };

  struct unit {
    osregex::kind kind = kind::end;
    char literal = '\0';    ///< folded; of a mark: the byte as which it is compared when it was not skipped
    char quantifier = '\0'; ///< of a set: '+', '*' or none. The unit behind is that literal
    std::uint32_t mark = 0; ///< number among the alternative's marks
    const byte_set* set = nullptr;
  };

  struct alternative {
    std::vector<unit> units; ///< and END units behind, so that looking ahead needs no check
    std::uint32_t marks = 0;
    bool begin = false;
    bool end = false;
  };

  struct parser;
  struct run;

  std::vector<alternative> alternatives_;
  bool captures_ = false; ///< wanted, and some alternative has a group
};

} // namespace picket::engine
