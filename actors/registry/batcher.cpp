#include "actors/registry/batcher.hpp"

#include <algorithm>

namespace picket::registry {

decided_batch decide_batch(const store::registry_view& view,
                           const std::vector<const protocol::command*>& commands, decide_context context,
                           std::int64_t wall_ms) {
  decided_batch out;
  store::overlay_view overlay{view};
  auto before = view.head();
  context.time_ms = std::max(wall_ms, before.time_ms + 1);
  out.batch.log.time_ms = context.time_ms;
  out.batch.log.by = context.node;
  for (const auto* command : commands) {
    if (auto known = overlay.outcome(command->request)) {
      out.commands.push_back({*known, true});
      continue;
    }
    auto decided = decide(overlay, *command, context);
    overlay.apply(decided.writes, decided.head);
    overlay.remember(command->request, decided.result);
    auto operation = std::string{protocol::name_of(command->arguments)};
    out.batch.log.commands.push_back({command->request, operation, decided.result});
    if (decided.result.done())
      out.batch.log.audit.push_back(
          {command->actor, command->from, operation + " " + to_text(decided.result.agent)});
    for (auto& write : decided.writes)
      out.batch.writes.push_back(std::move(write));
    out.commands.push_back({std::move(decided.result), false});
    out.changes_anything = true;
  }
  out.batch.head = overlay.head();
  out.batch.head.sequence = before.sequence + 1;
  out.batch.head.time_ms = context.time_ms;
  out.batch.head.by = context.node;
  out.batch.head.schema = std::max<std::uint32_t>(before.schema, known_schema);
  return out;
}

} // namespace picket::registry
