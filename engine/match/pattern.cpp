#include "engine/match/pattern.hpp"

#include "engine/match/osmatch.hpp"
#include "engine/match/osregex.hpp"
#include "engine/match/pcre.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace picket::engine {

namespace {

/// What a match may still cost once the event's budget is spent: enough for the usual short decision.
constexpr std::uint64_t reserve_steps = 1'000;

} // namespace

bool parse_language(std::string_view text, language& out) {
  static constexpr std::pair<std::string_view, language> names[] = {
      {"osmatch", language::osmatch}, {"osregex", language::osregex}, {"pcre2", language::pcre2}};
  for (const auto& [name, value] : names) {
    if (!equal_fold(name, text)) continue;
    out = value;
    return true;
  }
  return false;
}

struct match_scratch::impl {
  pcre_scratch pcre;
  std::vector<std::int64_t> marks;
};

match_scratch::match_scratch()
    : internals(std::make_unique<impl>()) {}
match_scratch::~match_scratch() = default;

struct pattern::impl {
  engine::language lang = language::exact;
  bool negate = false;
  bool captures = false;
  std::string text;
  std::variant<std::monostate, osmatch, osregex, pcre> matcher;
};

pattern::pattern() = default;
pattern::~pattern() = default;
pattern::pattern(pattern&&) noexcept = default;
pattern& pattern::operator=(pattern&&) noexcept = default;

tl::expected<pattern, std::string> pattern::compile(language lang, std::string_view text, options opts) {
  auto made = std::make_unique<impl>();
  made->lang = lang;
  made->negate = opts.negate;
  made->captures = opts.captures;
  made->text = text;
  auto take = [&](auto compiled) -> std::string {
    if (!compiled) return std::move(compiled.error());
    made->matcher = std::move(*compiled);
    return {};
  };
  std::string defect;
  if (lang == language::osmatch) defect = take(osmatch::compile(text));
  if (lang == language::osregex) defect = take(osregex::compile(text, opts.captures));
  if (lang == language::pcre2) defect = take(pcre::compile(text));
  if (!defect.empty()) return tl::unexpected(std::move(defect));
  pattern done;
  done.impl_ = std::move(made);
  return done;
}

match_result pattern::search(std::string_view input, match_scratch& scratch) const {
  scratch.captures.clear();
  if (!impl_) return {};
  auto& budget = scratch.budget;
  bool gave_up = false;
  match_result found;
  if (auto* match = std::get_if<osmatch>(&impl_->matcher)) {
    found = {match->search(input), 0};
  } else if (auto* regex = std::get_if<osregex>(&impl_->matcher)) {
    std::uint64_t allowed = std::min(budget.per_pattern, std::max(budget.per_event, reserve_steps));
    std::uint64_t left = allowed;
    found = regex->search(input, scratch.captures, scratch.internals->marks, left, gave_up);
    budget.per_event -= std::min(budget.per_event, allowed - left);
  } else if (auto* perl = std::get_if<pcre>(&impl_->matcher)) {
    found = perl->search(input, scratch.captures, scratch.internals->pcre, budget.pcre2_match_limit, gave_up);
    // The library does not say what a match cost; reaching its limit costs about what a pattern may.
    if (gave_up) budget.per_event -= std::min(budget.per_event, budget.per_pattern);
  } else {
    found = {input == impl_->text, 0};
  }
  if (gave_up) ++budget.limits_hit;
  if (!impl_->captures || !found.matched) scratch.captures.clear();
  return found;
}

bool pattern::holds(std::string_view input, match_scratch& scratch) const {
  return search(input, scratch).matched != negated();
}

std::size_t pattern::groups() const noexcept {
  if (!impl_) return 0;
  if (auto* regex = std::get_if<osregex>(&impl_->matcher)) return regex->groups();
  if (auto* perl = std::get_if<pcre>(&impl_->matcher)) return perl->groups();
  return 0;
}

language pattern::lang() const noexcept { return impl_ ? impl_->lang : language::exact; }
bool pattern::negated() const noexcept { return impl_ && impl_->negate; }
std::string_view pattern::text() const noexcept {
  return impl_ ? std::string_view(impl_->text) : std::string_view();
}

std::string_view text_after(std::string_view input, std::int64_t r, char byte_before) {
  if (r < 0) return byte_before == '\0' ? input.substr(input.size()) : input;
  return input.substr(std::min(input.size(), static_cast<std::size_t>(r) + 1));
}

} // namespace picket::engine
