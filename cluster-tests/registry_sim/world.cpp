#include "cluster-tests/registry_sim/world.hpp"

#include <cstdio>
#include <cstdlib>

namespace picket::registry_sim {

using namespace registry;

namespace {

constexpr int chaos_steps = 500;
constexpr std::int64_t begin_ms = 1'764'000'000'000;
constexpr std::int64_t settle_limit_ms = 120'000;
constexpr std::int64_t proposal_limit_ms = 4'000;

} // namespace

world::world(std::uint64_t seed, spoil broken)
    : random_{seed}
    , way_{store_, random_}
    , check_{store_}
    , now_ms_{begin_ms} {
  way_.advance(now_ms_);
  store_.page_rows = 3 + roll(20);
  store_.check_guard = broken != spoil::guard;
  store_.on_commit = [this](std::uint64_t revision, const store::registry_batch& batch) {
    check_.committed(revision, batch);
  };
  auto count = 1 + roll(5);
  for (std::uint64_t i = 1; i <= count; ++i) {
    auto directory = scratch_.path() / ("node-" + std::to_string(i));
    nodes_.push_back(std::make_unique<node>(static_cast<int>(i), directory, way_, store_, broken));
    nodes_.back()->clock_offset_ms = static_cast<std::int64_t>(roll(6'000)) - 3'000;
  }
  set_faults();
}

void world::trace(const std::string& what) const {
  static const bool wanted = std::getenv("PICKET_SIMULATION_TRACE") != nullptr;
  if (wanted) std::fprintf(stderr, "[%8lld] %s\n", static_cast<long long>(now_ms_ - begin_ms), what.c_str());
}

void world::pass(std::int64_t ms) {
  now_ms_ += ms;
  way_.advance(now_ms_);
  for (auto& one : nodes_) {
    one->step(now_ms_);
    check_.look_at(*one);
  }
}

/// A seed has its own weather: some have none of it, so that throughput is seen as well.
void world::set_faults() {
  auto some = [&](unsigned most) { return roll(3) == 0 ? 0u : static_cast<unsigned>(roll(most)); };
  way_.faults = {some(60), some(80), some(80), some(120), some(20), some(50)};
}

void world::crash(node& one) {
  trace("node " + std::to_string(one.number()) + " crashes");
  ++counted_.crashes;
  for (auto& open : attempts_) {
    if (!open->open || open->node != one.number() || open->life != one.life()) continue;
    open->open = false;
    check_.unanswered(open->command.request);
    doubtful_.push_back(open->command);
  }
  one.crash();
  check_.crashed(one);
}

void world::go_back() {
  if (!saved_) {
    saved_ = std::make_unique<memory_store>(store_);
    trace("a backup at " + std::to_string(store_.revision()));
    return;
  }
  trace("the store goes back from " + std::to_string(store_.revision()) + " to "
        + std::to_string(saved_->revision()));
  ++counted_.went_back;
  auto before = std::make_unique<memory_store>(store_);
  store_ = *saved_;
  saved_.reset();
  store_.restored();
  check_.went_back(std::move(before));
}

void world::fault() {
  auto& one = any_node();
  switch (roll(12)) {
  case 0:
    if (one.up()) crash(one);
    break;
  case 1:
  case 2:
    if (one.up()) one.sync();
    break;
  case 3:
    store_.compact(store_.revision() - std::min(store_.revision(), roll(6)));
    trace("compaction at " + std::to_string(store_.compacted()));
    break;
  case 4:
    way_.cut_off(one.number(), now_ms_ + static_cast<std::int64_t>(roll(3'000)), roll(2) == 0);
    trace("node " + std::to_string(one.number()) + " is cut off");
    break;
  case 5:
    way_.stall_watches(one.number());
    trace("the watch of node " + std::to_string(one.number()) + " stalls");
    break;
  case 6:
    if (roll(2) == 0) way_.take_quorum(now_ms_ + static_cast<std::int64_t>(roll(4'000)));
    break;
  case 7:
    if (roll(3) == 0) go_back();
    break;
  case 8:
    one.clock_offset_ms = static_cast<std::int64_t>(roll(6'000)) - 3'000;
    break;
  default:
    for (auto& other : nodes_)
      if (!other->up() && roll(2) == 0) other->start();
  }
}

protocol::command_arguments world::any_change(node& at) {
  agent_id id = 1;
  if (auto view = at.tables().read()) {
    auto wanted = static_cast<agent_id>(roll(view->head().next_agent_id) + 1);
    view->each_agent(wanted, [&](agent_id found, const protocol::agent_row&) {
      id = found;
      return false;
    });
  }
  switch (roll(9)) {
  case 0:
    return protocol::agent_remove{{id}, "chaos"};
  case 1:
    return protocol::group_put{"g" + std::to_string(roll(4))};
  case 2:
    return protocol::group_remove{"g" + std::to_string(roll(4))};
  case 3:
    return protocol::agent_groups{id, protocol::groups_change::add, {"g" + std::to_string(roll(4))}};
  case 4:
    return protocol::agent_confirm{{id}};
  default:
    break;
  }
  protocol::agent_add add;
  add.name = "agent-" + std::to_string(roll(24));
  add.key = std::string(16, 'k');
  add.address = roll(3) == 0 ? "10.0.0." + std::to_string(roll(24)) : "any";
  add.force.enabled = roll(2) == 0;
  add.force.after_registration_time_s = 0;
  add.repeat_window_s = 0;
  for (agent_id known = 1; known < 60; ++known)
    if (auto view = at.tables().read())
      if (auto row = view->agent(known))
        add.evidence.push_back({known, row->registration, protocol::agent_state::never_connected, 0});
  return add;
}

void world::offer(const protocol::command& command, node& at) {
  auto made = std::make_shared<attempt>(attempt{command, at.number(), at.life(), true});
  attempts_.push_back(made);
  check_.asked(command.request);
  at.commands().offer(command, now_ms_ + proposal_limit_ms, now_ms_,
                      [this, made, &at](const propose_answer& answer) {
                        made->open = false;
                        check_.answered(made->command.request, answer, at);
                        if (answer.how == proposed::ok || answer.how == proposed::refused)
                          ++counted_.acknowledged;
                        if (answer.how != proposed::unknown) return;
                        ++counted_.unknown;
                        doubtful_.push_back(made->command);
                      });
}

void world::ask_outcome(const protocol::command& command, node& at) {
  auto made = std::make_shared<attempt>(attempt{command, at.number(), at.life(), true});
  closed_.insert(command.request);
  at.commands().ask_outcome(command.request, command.made_ms, at.next_request(), now_ms_ + proposal_limit_ms,
                            now_ms_, [this, made](const outcome_answer& answer) {
                              check_.outcome(made->command.request, answer);
                              if (answer.status != outcome_status::unavailable) {
                                ++counted_.resolved;
                                return;
                              }
                              closed_.erase(made->command.request);
                              doubtful_.push_back(made->command);
                            });
}

/// Somebody whose request got no clear answer repeats it, anywhere, or asks what came of it.
void world::follow_up(const protocol::command& command) {
  if (closed_.count(command.request) != 0) return;
  auto& at = any_node();
  if (!at.up() || check_.open_attempts(command.request) > 0) return doubtful_.push_back(command);
  if (roll(2) == 0)
    offer(command, at);
  else
    ask_outcome(command, at);
}

void world::client() {
  auto& at = any_node();
  if (!at.up() || !at.copy().usable()) return;
  protocol::command command;
  command.request = at.next_request();
  command.actor = "client";
  command.from = "local";
  command.made_ms = std::max(at.wall_ms(now_ms_), at.tables().read()->head().time_ms);
  command.arguments = any_change(at);
  offer(command, at);
  // Some send the same to two nodes at a time.
  auto& other = any_node();
  if (roll(12) == 0 && other.up() && other.copy().usable()) offer(command, other);
}

void world::chaos_step() {
  for (auto count = roll(4); count > 0; --count)
    client();
  if (!doubtful_.empty() && roll(3) == 0) {
    auto command = doubtful_.front();
    doubtful_.pop_front();
    follow_up(command);
  }
  if (roll(5) == 0) fault();
  pass(static_cast<std::int64_t>(roll(8) == 0 ? roll(400) : roll(20)));
}

bool world::at_rest() const {
  if (check_.open_attempts() > 0 || !doubtful_.empty()) return false;
  for (const auto& one : nodes_)
    if (one->copy().loading() || !one->copy().usable() || one->copy().applied() != store_.revision()
        || one->commands().waiting() > 0)
      return false;
  return true;
}

void world::settle() {
  way_.heal();
  for (auto& one : nodes_)
    if (!one->up()) one->start();
  trace("peace");
  auto until = now_ms_ + settle_limit_ms;
  while (now_ms_ < until && !broken()) {
    if (!doubtful_.empty()) {
      auto command = doubtful_.front();
      doubtful_.pop_front();
      follow_up(command);
    }
    pass(10);
    if (at_rest()) return;
  }
}

std::string world::run() {
  for (int step = 0; step < chaos_steps && !broken(); ++step)
    chaos_step();
  if (!broken()) settle();
  counted_.commits = check_.commits();
  if (!broken()) check_.at_the_end();
  if (broken()) return check_.violation();
  for (const auto& one : nodes_) {
    if (one->copy().applied() != store_.revision())
      return "node " + std::to_string(one->number()) + " does not come to the store's revision";
    if (auto problem = one->tables().check_consistency(); !problem.empty()) return problem;
  }
  return {};
}

} // namespace picket::registry_sim
