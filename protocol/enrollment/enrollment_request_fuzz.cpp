#include "protocol/enrollment/address.hpp"
#include "protocol/enrollment/answers.hpp"
#include "protocol/enrollment/names.hpp"
#include "protocol/enrollment/request.hpp"

#include <cstdlib>

using namespace picket::protocol;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

void check_address(std::string_view text) {
  auto address = parse_agent_address(text);
  if (!address) return;
  auto written = to_text(*address);
  auto again = parse_agent_address(written);
  must(again && *again == *address && to_text(*again) == written);
  must(address->any || address->contains(address->host));
}

void check_answer(std::string_view text) {
  if (auto answer = parse_enrollment_answer(text))
    must(parse_enrollment_answer(format_enrollment_answer(*answer)) == answer);
}

} // namespace

/// Any bytes: no crash; an error points into the line and has an answer; a request obeys its own rules and,
/// written out again, is the very line that was read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view line{reinterpret_cast<const char*>(data), size};
  check_address(line);
  check_answer(line);
  strip_password(line, "s3cret");
  auto got = parse_enrollment_request(line);
  if (!got) {
    must(got.error().offset <= size);
    must(!to_string(got.error()).empty() && !refusal_of(got.error()).empty());
    return 0;
  }
  must(is_valid_agent_name(got->name));
  must(got->groups.empty() || !group_syntax_fault(got->groups));
  for (const auto& group : split_groups(got->groups))
    must(got->groups.empty() || !group.empty());
  must(format_enrollment_request(*got) == line);
  return 0;
}
