#include "actors/rule/stored_first_seen.hpp"

namespace picket {

namespace {

constexpr std::size_t flushes_a_trim = 600;

} // namespace

result<std::shared_ptr<stored_first_seen>>
stored_first_seen::load(std::shared_ptr<store::local_state> local) {
  std::shared_ptr<stored_first_seen> self{new stored_first_seen{std::move(local)}};
  auto loaded =
      self->local_->each_first_seen([&](std::string_view key) { self->memory_.insert_if_new(key); });
  if (!loaded) return tl::unexpected<error>(loaded.error());
  return self;
}

bool stored_first_seen::insert_if_new(std::string_view key) {
  if (!memory_.insert_if_new(key)) return false;
  std::lock_guard lock{mutex_};
  if (waiting_.size() < waiting_limit) waiting_.emplace_back(key);
  return true;
}

result<void> stored_first_seen::flush() {
  std::vector<std::string> keys;
  {
    std::lock_guard lock{mutex_};
    keys.swap(waiting_);
  }
  if (!keys.empty()) {
    auto stored = local_->put_first_seen(keys);
    if (!stored) {
      std::lock_guard lock{mutex_};
      waiting_.insert(waiting_.begin(), keys.begin(), keys.end());
      return stored;
    }
  }
  return ++flushes_ % flushes_a_trim == 0 ? local_->trim_first_seen(stored_limit) : result<void>{};
}

} // namespace picket
