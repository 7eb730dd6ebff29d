#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "actors/api/facade.hpp"
#include "actors/registry/decide_batch.hpp"
#include "base/time.hpp"

namespace picket::testing {

/// A node as the API sees it: real tables in a directory and real decisions, no actors. Thread-safe.
class fake_node final : public api::node_facade {
public:
  /// `tables` with its group `default`.
  explicit fake_node(std::shared_ptr<store::registry_tables> tables)
      : tables_{std::move(tables)} {
    context_.node = 1;
    context_.server_names = {"mgr-01"};
  }

  registry::propose_answer propose(protocol::command_arguments arguments, const std::string& actor,
                                   const std::string& from) override {
    return propose_many({std::move(arguments)}, actor, from).front();
  }

  std::vector<registry::propose_answer> propose_many(std::vector<protocol::command_arguments> commands,
                                                     const std::string& actor,
                                                     const std::string& from) override {
    std::lock_guard lock{mutex_};
    std::vector<registry::propose_answer> answers;
    for (std::size_t begin = 0; begin < commands.size(); begin += commands_per_commit) {
      auto end = std::min(commands.size(), begin + commands_per_commit);
      std::vector<protocol::command> some;
      for (auto i = begin; i < end; ++i)
        some.push_back(command_of(std::move(commands[i]), actor, from));
      for (auto& answer : commit(some))
        answers.push_back(std::move(answer));
    }
    return answers;
  }

  const store::registry_tables& tables() const override { return *tables_; }
  const agent_status_table& statuses() const override { return statuses_; }
  agent_status_table& statuses() { return statuses_; }
  protocol::agent_evidence evidence(agent_id id, std::uint64_t registration) const override {
    auto status = statuses_.get(id);
    protocol::agent_evidence fact{id, registration, protocol::agent_state::never_connected, 0};
    if (status) {
      fact.state = status->connection.state;
      fact.since_ms = status->connection.disconnection_ms;
    }
    return fact;
  }
  agent_contact contact(agent_id id) const override {
    auto found = contacts.find(id);
    return found == contacts.end() ? agent_contact{} : found->second;
  }
  std::string draw_key() const override { return std::string(64, static_cast<char>('a' + drawn_++ % 26)); }
  std::string name() const override { return "n1"; }
  api::node_figures figures() const override {
    api::node_figures now;
    now.node = "n1";
    now.version = "0.1.0";
    now.started_ms = 1'749'038'400'000;
    now.ready_ingest = ready;
    now.ready_control = true;
    if (!ready) now.not_ready_because = "the disk is full";
    now.facts = {{"data_dir", "/var/lib/picket"}};
    now.counts = {{"agents", 3}, {"events", 1'234'567}};
    if (!ready) now.findings = {{"the disk is full", "free room", true, false}};
    now.sections = {{"ingest", {{"connections", 12}, {"records_per_second", 1'234.5678}}}};
    now.disks = {{"journal", "/var/log/picket", {}, 5'000'000'000, 268'435'456}};
    now.refusals = {{"records", "wrong_key", 17}};
    now.minute_ms = 60'000;
    return now;
  }

  letter_office& letters() override { return *office; }
  bool drain(bool on, const std::string&, const std::string&) override { return drained.exchange(on); }
  bool draining() const override { return drained; }

  std::atomic<bool> ready = true;
  std::atomic<bool> drained = false;
  std::shared_ptr<letter_office> office;      ///< for tests that come to it
  std::map<agent_id, agent_contact> contacts; ///< set before the server is asked
  /// What every change comes to, if set before the server starts.
  std::unique_ptr<registry::propose_answer> answer_instead;

private:
  static constexpr std::size_t commands_per_commit = 120;

  protocol::command command_of(protocol::command_arguments arguments, const std::string& actor,
                               const std::string& from) {
    protocol::command command;
    command.request = {1, 1, ++counter_};
    command.actor = actor;
    command.from = from;
    command.made_ms = wall_clock_ms();
    command.arguments = std::move(arguments);
    return command;
  }

  std::vector<registry::propose_answer> commit(const std::vector<protocol::command>& commands) {
    std::vector<registry::propose_answer> answers(commands.size(), {registry::proposed::unavailable, 0, {}});
    if (answer_instead) std::fill(answers.begin(), answers.end(), *answer_instead);
    if (answer_instead) return answers;
    std::vector<const protocol::command*> pointers;
    for (const auto& command : commands)
      pointers.push_back(&command);
    registry::decided_batch decided;
    {
      auto view = tables_->read();
      if (!view) return answers;
      decided = registry::decide_batch(*view, pointers, context_, wall_clock_ms());
    }
    if (decided.changes_anything && !tables_->commit(decided.batch)) return answers;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto& result = decided.commands[i].result;
      answers[i] = {result.done() ? registry::proposed::ok : registry::proposed::refused,
                    decided.batch.head.sequence, result};
    }
    return answers;
  }

  std::shared_ptr<store::registry_tables> tables_;
  agent_status_table statuses_;
  registry::decide_context context_;
  std::mutex mutex_;
  std::uint64_t counter_ = 0;
  mutable std::atomic<unsigned> drawn_ = 0;
};

} // namespace picket::testing
