#include "cluster-tests/agentsim/verify.hpp"

#include "cluster-tests/agentsim/lines.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

namespace picket::agentsim {

namespace {

constexpr std::uint64_t greatest_number = 100'000'000;
constexpr std::size_t most_examples = 10;

} // namespace

std::string to_string(const verdict& found) {
  std::string text =
      "expected " + std::to_string(found.expected) + ", found " + std::to_string(found.found) + ", lost "
      + std::to_string(found.lost) + ", doubled " + std::to_string(found.doubled_number) + " (by number) "
      + std::to_string(found.doubled_id) + " (by id), out of order " + std::to_string(found.out_of_order);
  if (found.unreadable > 0) text += ", unreadable " + std::to_string(found.unreadable);
  if (found.other_events > 0) text += ", other events " + std::to_string(found.other_events);
  for (const auto& example : found.examples)
    text += "\n  " + example;
  return text;
}

void verifier::note(std::string text) {
  if (so_far_.examples.size() < most_examples) so_far_.examples.push_back(std::move(text));
}

void verifier::take_line(std::string_view json) {
  auto event = nlohmann::json::parse(json, nullptr, false);
  if (!event.is_object()) {
    ++so_far_.unreadable;
    note("no JSON: " + std::string{json.substr(0, 120)});
    return;
  }
  auto text = event.value("full_log", std::string{});
  auto number = number_of(text);
  if (!number || (!run_.empty() && number->run != run_) || number->number == 0
      || number->number > greatest_number) {
    ++so_far_.other_events;
    return;
  }
  auto id = event.value("id", std::string{});
  auto [known, fresh] = ids_.try_emplace(id, number->number);
  bool doubled_id = !id.empty() && !fresh;
  if (doubled_id) {
    ++so_far_.doubled_id;
    note("id " + id + " stands twice");
  }
  auto at = agents_.find(number->agent);
  if (at == agents_.end()) at = agents_.emplace(std::string{number->agent}, agent{}).first;
  auto& one = at->second;
  if (one.seen.size() <= number->number)
    one.seen.resize(std::max<std::size_t>(number->number + 1, one.seen.size() * 2));
  if (doubled_id && (!one.seen[number->number] || known->second != number->number)) {
    ++so_far_.wrong_id;
    note("id " + id + " is that of two lines");
  }
  if (one.seen[number->number]) {
    if (!doubled_id) ++so_far_.wrong_id;
    ++so_far_.doubled_number;
    note("agent " + at->first + ", line " + std::to_string(number->number) + " stands twice");
    return;
  }
  one.seen[number->number] = true;
  ++one.distinct;
  ++distinct_;
  if (number->number < one.greatest) {
    ++so_far_.out_of_order;
    note("agent " + at->first + ", line " + std::to_string(number->number) + " stands behind line "
         + std::to_string(one.greatest));
  }
  one.greatest = std::max(one.greatest, number->number);
}

bool verifier::has(std::string_view agent_id, std::uint64_t number) const {
  auto at = agents_.find(agent_id);
  return at != agents_.end() && number < at->second.seen.size() && at->second.seen[number];
}

verdict verifier::judge(const std::map<std::string, std::uint64_t, std::less<>>& expected) const {
  auto verdict_now = so_far_;
  auto all = expected;
  for (const auto& [name, one] : agents_)
    all.emplace(name, one.greatest);
  for (const auto& [name, count] : all) {
    verdict_now.expected += count;
    auto at = agents_.find(name);
    auto distinct = at == agents_.end() ? 0 : at->second.distinct;
    verdict_now.found += distinct;
    if (distinct >= count) continue;
    verdict_now.lost += count - distinct;
    std::uint64_t first = 1;
    while (at != agents_.end() && first < at->second.seen.size() && at->second.seen[first])
      ++first;
    if (verdict_now.examples.size() < most_examples)
      verdict_now.examples.push_back("agent " + name + ", " + std::to_string(count - distinct) + " of "
                                     + std::to_string(count) + " lost, the first is line "
                                     + std::to_string(first));
  }
  return verdict_now;
}

result<void> file_follower::read_on(verifier& to) {
  std::ifstream file{file_, std::ios::binary};
  if (!file) return fail(errc::not_found, "cannot read the file", file_.string());
  file.seekg(static_cast<std::streamoff>(offset_));
  std::string block(1U << 20U, '\0');
  for (;;) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    auto got = static_cast<std::size_t>(file.gcount());
    if (got == 0) return {};
    offset_ += got;
    rest_.append(block, 0, got);
    std::size_t begin = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
      to.take_line(std::string_view{rest_}.substr(begin, end - begin));
      begin = end + 1;
    }
    rest_.erase(0, begin);
  }
}

} // namespace picket::agentsim
