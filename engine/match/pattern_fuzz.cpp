// Byte 0: language and options; then the pattern up to the first NUL; then the text. What a match reports
// lies in the text, a second search answers the same, and no search costs more than its budget.

#include "engine/match/pattern.hpp"
#include "engine/testing/fuzz.hpp"

#include <cstdint>

using namespace picket::engine;
using testing::lies_in;
using testing::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto end = rest.find('\0');
  if (end == std::string_view::npos) return 0;
  auto text = rest.substr(0, end);
  auto input = rest.substr(end + 1);
  auto lang = static_cast<language>(data[0] & 3);
  bool negate = (data[0] & 8) != 0;
  bool captures = (data[0] & 4) != 0;
  auto compiled = pattern::compile(lang, text, {captures, negate});
  if (!compiled) {
    must(!compiled.error().empty());
    return 0;
  }
  must(compiled->text() == text && compiled->lang() == lang);

  static match_scratch scratch;
  auto budget = [] {
    match_budget small;
    small.per_event = 30'000;
    small.per_pattern = 20'000;
    small.pcre2_match_limit = 2'000;
    return small;
  };
  scratch.budget = budget();
  auto first = compiled->search(input, scratch);
  auto captured = scratch.captures;
  must(scratch.budget.per_event >= 10'000);
  must(first.matched || captured.empty());
  must(captures || captured.empty());
  must(captured.size() <= compiled->groups());
  for (auto each : captured)
    must(lies_in(each, input));
  if (first.matched) {
    must(first.r >= -1 && first.r <= static_cast<std::int64_t>(input.size()));
    must(lies_in(text_after(input, first.r, ' '), input));
    must(lies_in(text_after(input, first.r, '\0'), input));
  }
  scratch.budget = budget();
  auto second = compiled->search(input, scratch);
  must(second.matched == first.matched && second.r == first.r && scratch.captures == captured);
  scratch.budget = budget();
  must(compiled->holds(input, scratch) == (first.matched != negate));
  return 0;
}
