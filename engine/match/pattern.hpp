#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace picket::engine {

/// The pattern languages (decoders.md 2); `exact` is plain equality (rule `action` without type).
enum class language : std::uint8_t { osmatch, osregex, pcre2, exact };

/// "osmatch", "osregex", "pcre2" in any letter case; nothing else.
bool parse_language(std::string_view text, language& out);

/// Work that one event may still spend in matchers (engine.md 3.7). Shared by all matches of the event.
struct match_budget {
  std::uint64_t per_event = 1'000'000; ///< steps left for this event
  std::uint64_t per_pattern = 200'000; ///< at most this many for one match
  std::uint32_t pcre2_match_limit = 100'000;
  std::uint64_t limits_hit = 0; ///< matches given up as "no match" because of a limit
};

/// Buffers that matchers reuse, one per thread of work. Holds the PCRE2 match data.
class match_scratch {
public:
  match_scratch();
  ~match_scratch();
  match_scratch(const match_scratch&) = delete;
  match_scratch& operator=(const match_scratch&) = delete;

  match_budget budget;
  /// Captures of the last successful match; views into the searched text. Cleared before each match.
  std::vector<std::string_view> captures;

  struct impl;
  std::unique_ptr<impl> internals;
};

/// What a search found.
struct match_result {
  bool matched = false;
  /// Result position `r` of decoders.md 2.3.5; -1 is possible. Meaningless without a match and for OSMatch.
  std::int64_t r = 0;
};

/// One compiled pattern of any language. Immutable, shared between threads.
class pattern {
public:
  struct options {
    bool captures = false; ///< the captures are wanted (decoder `regex`)
    bool negate = false;   ///< inverts `holds`, not `search`
  };

  /// Errors: the text says what is wrong with the pattern.
  static tl::expected<pattern, std::string> compile(language lang, std::string_view text, options opts);

  pattern();
  ~pattern();
  pattern(pattern&&) noexcept;
  pattern& operator=(pattern&&) noexcept;

  /// Searches `input`; ignores `negate`. A limit of `scratch.budget` counts as no match.
  match_result search(std::string_view input, match_scratch& scratch) const;

  /// matched != negate.
  bool holds(std::string_view input, match_scratch& scratch) const;

  /// Greatest number of captures that a match can have, wanted or not.
  std::size_t groups() const noexcept;
  language lang() const noexcept;
  bool negated() const noexcept;
  /// As it was written.
  std::string_view text() const noexcept;

private:
  struct impl;
  std::unique_ptr<const impl> impl_;
};

/// The text behind a match, decoders.md 2.3.5 and 3.8. `byte_before` is the byte in front of `input`, NUL if
/// none.
std::string_view text_after(std::string_view input, std::int64_t r, char byte_before);

} // namespace picket::engine
