#include "cluster-tests/registry_sim/wire.hpp"

namespace picket::registry_sim {

using namespace registry;

bool wire::connected(int node) const {
  auto found = cut_until_ms_.find(node);
  return found == cut_until_ms_.end() || found->second <= now_ms_;
}

void wire::advance(std::int64_t to_ms) {
  while (!events_.empty() && events_.begin()->first <= to_ms) {
    auto next = events_.extract(events_.begin());
    now_ms_ = std::max(now_ms_, next.key());
    next.mapped()();
  }
  now_ms_ = to_ms;
}

/// At the store. `kept`: what arrives without a quorum may be done when there is one again.
template <class Answer>
void wire::arrive(int node, bool kept, std::function<Answer()> act, std::function<void(const Answer&)> give) {
  if (now_ms_ < no_quorum_until_ms_) {
    if (kept && chance(500))
      at(no_quorum_until_ms_ + between(1, 200), [=, this] { arrive<Answer>(node, kept, act, give); });
    return;
  }
  auto answer = act();
  if (chance(faults.lost_after)) return;
  at(now_ms_ + between(1, 10), [=, this] {
    if (connected(node)) give(answer);
  });
}

template <class Answer>
void wire::ask(int node, std::int64_t limit_ms, bool kept, std::function<Answer()> act,
               std::function<Answer(bool)> failed, std::function<void(const Answer&)> done) {
  auto answered = std::make_shared<bool>(false);
  std::function<void(const Answer&)> give = [answered, done](const Answer& answer) {
    if (std::exchange(*answered, true)) return;
    done(answer);
  };
  if (!connected(node) || chance(faults.refused))
    return at(now_ms_ + between(1, 300), [give, failed] { give(failed(false)); });
  at(now_ms_ + limit_ms, [give, failed] { give(failed(true)); });
  if (chance(faults.lost_before)) return;
  auto way_ms = chance(faults.late) ? between(20, 3'000) : between(1, 10);
  at(now_ms_ + way_ms, [=, this] { arrive<Answer>(node, kept, act, give); });
}

void wire::commit(int node, const commit_request& request, std::function<void(const commit_outcome&)> done) {
  ask<commit_outcome>(
      node, request.limit_ms, true,
      [this, request] { return store_.commit(request.expected, request.batch, 0); },
      [](bool may_be_done) {
        return commit_outcome{may_be_done ? commit_status::unknown : commit_status::unavailable, 0,
                              error{errc::timeout, "no answer", "wire", {}}};
      },
      std::move(done));
}

void wire::head(int node, std::int64_t limit_ms, std::function<void(const head_answer&)> done) {
  ask<head_answer>(
      node, limit_ms, false, [this] { return store_.head(0); }, [](bool) { return head_answer{}; },
      std::move(done));
}

void wire::load(int node, const load_position& from, std::int64_t limit_ms,
                std::function<void(const load_page&)> done) {
  ask<load_page>(
      node, limit_ms, false, [this, from] { return store_.load(from, 0); }, [](bool) { return load_page{}; },
      std::move(done));
}

std::uint64_t wire::open_watch(int node, std::uint64_t from) {
  watches_[++last_watch_] = {node, from, false, !connected(node)};
  return last_watch_;
}

stream_step wire::look(std::uint64_t watch) {
  auto found = watches_.find(watch);
  if (found == watches_.end() || found->second.lost) return {{}, watch_end::lost, {}};
  auto& one = found->second;
  if (one.stalled || !connected(one.node) || now_ms_ < no_quorum_until_ms_ || chance(500)) return {};
  if (chance(faults.watch_cut)) {
    watches_.erase(found);
    return {{}, watch_end::lost, {}};
  }
  if (chance(faults.watch_repeated)) {
    auto back = static_cast<std::uint64_t>(between(1, 4));
    auto least = store_.compacted() + 1;
    if (one.next > least) one.next = std::max(least, one.next - std::min(one.next, back));
  }
  return store_.read_changes(one.next, static_cast<std::size_t>(between(1, 4)));
}

void wire::cut_off(int node, std::int64_t until_ms, bool silent) {
  cut_until_ms_[node] = until_ms;
  for (auto& [id, one] : watches_)
    if (one.node == node) silent ? one.stalled = true : one.lost = true;
}

void wire::stall_watches(int node) {
  for (auto& [id, one] : watches_)
    if (one.node == node) one.stalled = true;
}

void wire::heal() {
  faults = {};
  cut_until_ms_.clear();
  no_quorum_until_ms_ = 0;
}

} // namespace picket::registry_sim
