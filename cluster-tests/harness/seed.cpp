#include "cluster-tests/harness/seed.hpp"

#include <stdexcept>

#include "actors/registry/decide_batch.hpp"
#include "base/time.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket::harness {

namespace {

void commit(const std::filesystem::path& node_directory, protocol::command_arguments arguments) {
  std::filesystem::create_directories(node_directory / "data");
  auto tables = store::registry_tables::open(node_directory / "data" / "state").value();
  protocol::command command;
  registry::decided_batch decided;
  {
    auto view = tables->read().value();
    command.request = {9, 9, view.head().sequence + 1};
    command.arguments = std::move(arguments);
    decided = registry::decide_batch(view, {&command}, {}, wall_clock_ms());
  }
  if (!decided.commands.front().result.done()) throw std::runtime_error{decided.commands.front().result.text};
  if (auto done = tables->commit(decided.batch); !done) throw std::runtime_error{to_string(done.error())};
}

} // namespace

agentsim::agent_identity transcript_agent() {
  return {"007", "web-01", "any", "5f1c0d7be2a94836c7d05e91ab34f26890b7de41c35fa28670194ecdb8a3f512"};
}

void seed_agent(const std::filesystem::path& node_directory, const agentsim::agent_identity& agent) {
  protocol::agent_add add;
  add.id = static_cast<agent_id>(std::stoul(agent.id));
  add.name = agent.name;
  add.address = agent.address;
  add.key = agent.key;
  add.state = protocol::confirmation::confirmed;
  commit(node_directory, add);
}

void seed_group(const std::filesystem::path& node_directory, const std::string& name) {
  commit(node_directory, protocol::group_put{name});
}

} // namespace picket::harness
