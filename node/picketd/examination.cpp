// What a node does about lines of which its analysis dies: the store of dead letters, the examiner, and the
// child process that runs a batch line by line.

#include <algorithm>

#include <unistd.h>

#include "actors/examiner/child.hpp"
#include "node/picketd/parts.hpp"
#include "node/picketd/ruleset_source.hpp"

namespace picket {

engine::compile_options compile_options_of(std::int64_t alert_level, std::int64_t email_alert_level) {
  engine::compile_options options;
  options.rules.log_alert_level = static_cast<int>(alert_level);
  options.rules.email_alert_level = static_cast<int>(email_alert_level);
  return options;
}

result<void> node::parts::open_letters() {
  auto opened = store::deadletter_store::open(settings.paths.data_dir / "deadletter",
                                              static_cast<std::size_t>(settings.limits.dead_letters));
  if (!opened) return tl::unexpected<error>(opened.error());
  letters = std::move(*opened);
  counts->deadletter_unreadable_files.set(static_cast<double>(letters->unreadable()));
  if (letters->unreadable() > 0)
    log->write(
        log_event::deadletter_unreadable,
        {{"directory", (settings.paths.data_dir / "deadletter").string()}, {"files", letters->unreadable()}});
  return {};
}

void node::parts::spawn_examiner() {
  office = std::make_shared<letter_office>(letters, intake, counts, log);
  examiner_setup setup;
  setup.examine = [](protocol::examination::request what) {
    return picket::examine(std::move(what), {"/proc/self/exe", examination_word}, {});
  };
  setup.common.ruleset_dir = settings.ruleset.dir.string();
  setup.common.alert_level = settings.journal.alert_level;
  setup.common.email_alert_level = settings.journal.email_alert_level;
  setup.common.alerts_json = settings.journal.alerts_json;
  setup.common.alerts_text = settings.journal.alerts_log;
  setup.common.archives_json = settings.journal.archives_json;
  setup.common.manager_name = name;
  setup.common.cluster_name = settings.node.cluster_name;
  setup.common.node_name = name;
  setup.letters = office;
  setup.tables = tables;
  setup.statuses = statuses;
  setup.notices = intake;
  setup.counts = counts;
  setup.log = log;
  examiner = system->spawn<caf::detached>(picket::examiner, setup);
}

std::vector<shard_id> node::parts::suspects() const {
  std::vector<shard_id> shards;
  auto look = [&](const store::batch_ref& batch) {
    if (batch.attempt > 0)
      shards.push_back(static_cast<shard_id>(batch.shard % static_cast<std::size_t>(settings.engine.shards)));
  };
  for (const auto& batch : pool->recovery().batches)
    look(batch);
  if (overflow_files)
    for (const auto& batch : overflow_files->recovery().batches)
      look(batch.ref);
  return shards;
}

int run_examination() {
  auto silent = event_log::silent(); // the node has said what there is to say of its rule set
  return run_examination_child(STDIN_FILENO, STDOUT_FILENO, [&](const protocol::examination::request& what) {
    auto options = compile_options_of(what.alert_level, what.email_alert_level);
    return load_ruleset(what.ruleset_dir, options, *silent);
  });
}

} // namespace picket
