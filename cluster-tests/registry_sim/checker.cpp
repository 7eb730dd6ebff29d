#include "cluster-tests/registry_sim/checker.hpp"

namespace picket::registry_sim {

using namespace registry;

std::string to_text(const protocol::request_id& request) {
  return std::to_string(request.node) + "." + std::to_string(request.boot) + "."
         + std::to_string(request.counter);
}

void checker::violate(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

void checker::committed(std::uint64_t revision, const store::registry_batch& batch) {
  ++commits_;
  auto at = "revision " + std::to_string(revision) + ": ";
  if (batch.head.sequence != head_.sequence + 1)
    violate(at + "sequence " + std::to_string(batch.head.sequence) + " after "
            + std::to_string(head_.sequence));
  if (batch.head.time_ms <= head_.time_ms) violate(at + "time runs backwards");
  if (batch.head.epoch != head_.epoch) violate(at + "a batch of another epoch");
  if (batch.head.next_agent_id < head_.next_agent_id) violate(at + "ids run backwards");
  for (const auto& command : batch.log.commands) {
    if (log_.find(command.request) != log_.end())
      violate(at + "request " + to_text(command.request) + " is decided a second time");
    auto& one = fates_[command.request];
    if (one.never) violate(at + "request " + to_text(command.request) + " was said never to be done");
    log_[command.request] = {revision, command.result};
  }
  head_ = batch.head;
  check_agents(batch);
}

void checker::check_agents(const store::registry_batch& batch) {
  for (const auto& write : batch.writes) {
    if (write.table != store::registry_table::agents) continue;
    auto id = store::agent_of(write.key);
    if (!write.row) {
      agents_.erase(id);
      continue;
    }
    if (agents_.find(id) == agents_.end() && !given_.insert(id).second)
      violate("agent " + picket::to_text(id) + " was given a second time");
    agents_[id] = protocol::decode_agent_row(*write.row)->name;
  }
  std::map<std::string, agent_id> names;
  for (const auto& [id, name] : agents_)
    if (!names.emplace(name, id).second) violate("two agents of the name " + name);
}

void checker::rebuild() {
  auto rows = store_.rows_at(store_.revision());
  head_ = *protocol::decode_head_row(rows["head"]);
  agents_.clear();
  for (const auto& [text, row] : rows) {
    auto [table, key] = store::parse_key_text(text);
    if (table == store::registry_table::agents)
      agents_[store::agent_of(key)] = protocol::decode_agent_row(row)->name;
  }
}

void checker::went_back(std::unique_ptr<memory_store> before) {
  older_[head_.epoch] = std::move(before);
  // The last change of the old copy is the restoring itself.
  for (auto one = log_.begin(); one != log_.end();) {
    if (one->second.revision < store_.revision()) {
      ++one;
      continue;
    }
    fates_[one->first].never = false;
    rolled_back_.insert(*one);
    one = log_.erase(one);
  }
  rebuild();
}

void checker::asked(const protocol::request_id& request) { ++fates_[request].open; }

std::optional<std::uint64_t> checker::decided_so(const protocol::request_id& request,
                                                 const protocol::command_result& result) const {
  if (auto found = log_.find(request); found != log_.end() && found->second.result == result)
    return found->second.revision;
  auto [at, end] = rolled_back_.equal_range(request);
  for (; at != end; ++at)
    if (at->second.result == result) return at->second.revision;
  return std::nullopt;
}

void checker::answered(const protocol::request_id& request, const propose_answer& answer, node& by) {
  auto& one = fates_[request];
  auto name = "request " + to_text(request) + ": ";
  if (one.open == 0) violate(name + "answered twice");
  --one.open;
  if (answer.how == proposed::unknown) one.may_be_done = true;
  if (answer.how == proposed::unavailable || answer.how == proposed::busy || answer.how == proposed::too_late)
    one.surely_not = true;
  if (answer.how != proposed::ok && answer.how != proposed::refused) return;
  auto known = decided_so(request, answer.result);
  if (!known) return violate(name + "acknowledged, and no batch has that result");
  if (answer.result.done() != (answer.how == proposed::ok)) violate(name + "ok and refused are mixed up");
  one.acknowledged = answer.result;
  auto view = by.tables().read();
  if (answer.visible && log_.find(request) != log_.end() && view->head().epoch == head_.epoch
      && view->mark().applied < *known)
    violate(name + "answered as visible before the replica of node " + std::to_string(by.number())
            + " has it");
}

void checker::unanswered(const protocol::request_id& request) {
  auto& one = fates_[request];
  --one.open;
  one.may_be_done = true;
}

void checker::outcome(const protocol::request_id& request, const outcome_answer& answer) {
  auto name = "outcome of request " + to_text(request) + ": ";
  if (answer.status == outcome_status::found && !decided_so(request, answer.result))
    violate(name + "no batch has that result");
  if (answer.status == outcome_status::not_done) {
    if (log_.find(request) != log_.end()) violate(name + "it was done");
    fates_[request].never = true;
  }
}

void checker::look_at(node& one) {
  if (!one.up() || !one.copy().usable()) return;
  auto mark = one.copy().mark();
  auto view = one.tables().read();
  auto epoch = view->head().epoch;
  auto name = "replica of node " + std::to_string(one.number()) + ": ";
  auto before = seen_.find(one.number());
  if (before != seen_.end()) {
    if (before->second.mark == mark && before->second.epoch == epoch) return;
    if (before->second.epoch == epoch && mark.applied < before->second.mark.applied)
      violate(name + "goes back from " + std::to_string(before->second.mark.applied) + " to "
              + std::to_string(mark.applied) + " in epoch " + std::to_string(epoch));
  }
  seen_[one.number()] = {epoch, mark};
  if (!(view->mark() == mark)) violate(name + "its tables stand elsewhere than it says");
  auto found = older_.find(epoch);
  const auto& truth = found != older_.end() ? *found->second : store_;
  std::map<std::string, std::string> rows;
  for (const auto& row : view->all_rows())
    rows[store::key_text(row.table, row.key)] = *row.row;
  auto wanted = truth.rows_at(mark.applied);
  if (rows != wanted) {
    std::string which;
    for (const auto& [key, row] : wanted)
      if (rows[key] != row && which.empty()) which = key;
    for (const auto& [key, row] : rows)
      if (which.empty() && wanted.find(key) == wanted.end()) which = key;
    violate(name + "is not the store at revision " + std::to_string(mark.applied) + ": " + which);
  }
  if (auto problem = view->check_consistency(); !problem.empty()) violate(name + problem);
}

void checker::at_the_end() {
  for (const auto& [request, one] : fates_) {
    auto name = "request " + to_text(request) + ": ";
    bool present = log_.find(request) != log_.end();
    if (one.open != 0) violate(name + "was never answered");
    bool lost_by_operator = rolled_back_.find(request) != rolled_back_.end();
    if (one.acknowledged && !present && !lost_by_operator) violate(name + "acknowledged, and not there");
    if (one.acknowledged && present && !(log_[request].result == *one.acknowledged) && !lost_by_operator)
      violate(name + "acknowledged with another result");
    if (one.surely_not && !one.may_be_done && !one.acknowledged && present)
      violate(name + "said to be surely not done, and there");
    if (one.never && present) violate(name + "said never to be done, and there");
  }
}

std::size_t checker::open_attempts(const protocol::request_id& request) const {
  auto found = fates_.find(request);
  return found == fates_.end() ? 0 : found->second.open;
}

std::size_t checker::open_attempts() const {
  std::size_t open = 0;
  for (const auto& [request, one] : fates_)
    open += one.open;
  return open;
}

} // namespace picket::registry_sim
