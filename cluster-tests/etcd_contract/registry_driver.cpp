#include "cluster-tests/etcd_contract/registry_driver.hpp"

#include <stdexcept>

#include "base/time.hpp"

namespace picket::etcd_contract {

using namespace registry;

namespace {

constexpr std::int64_t probe_interval_ms = 500;
constexpr std::int64_t read_limit_ms = 1'000;
constexpr std::int64_t proposal_limit_ms = 8'000;
constexpr std::int64_t watch_wait_ms = 2;

} // namespace

commit_outcome seed(registry_store& store) {
  store::registry_batch batch;
  batch.head.sequence = 1;
  batch.writes = {{store::registry_table::groups, "default", protocol::encode(protocol::group_row{})}};
  return store.commit({}, batch, 5'000);
}

driven_node::driven_node(int number, const std::filesystem::path& directory, etcd_store_options options)
    : number_{static_cast<std::uint32_t>(number)}
    , store_{std::move(options)} {
  store::registry_options local;
  local.sync = store::durability::no_meta_sync;
  local.fresh_rows = false;
  auto opened = store::registry_tables::open(directory / "state", local);
  if (!opened) throw std::runtime_error{to_string(opened.error())};
  tables_ = std::move(*opened);
  replica_options copying;
  copying.cluster = "c1";
  copy_ = std::make_unique<replica>(*tables_, copying);
  decide_context context;
  context.node = number_;
  context.log = shared_log;
  commands_ = std::make_unique<batcher>(*copy_, context);
}

void driven_node::add_agent(const std::string& name) {
  protocol::agent_add add;
  add.name = name;
  add.key = std::string(64, 'k');
  add.address = "any";
  protocol::command command;
  command.request = {number_, 1, ++counter_};
  command.arguments = std::move(add);
  auto now_ms = steady_clock_ms();
  commands_->offer(std::move(command), now_ms + proposal_limit_ms, now_ms,
                   [this, name](const propose_answer& answer) { answers[name] = answer; });
}

void driven_node::step_replica(std::int64_t now_ms) {
  auto wish = copy_->wish();
  if (now_ms < wish.not_before_ms) return;
  switch (wish.what) {
  case replica_wish::kind::head:
    return copy_->took_head(wish.number, store_.head(read_limit_ms), steady_clock_ms());
  case replica_wish::kind::load:
    return copy_->took_page(wish.number, store_.load(wish.page, read_limit_ms), steady_clock_ms());
  case replica_wish::kind::watch:
    break;
  }
  if (watched_ != wish.number) stream_ = store_.changes(wish.watch_from);
  watched_ = wish.number;
  copy_->took_changes(wish.number, stream_->next(watch_wait_ms), steady_clock_ms());
}

void driven_node::step() {
  auto now_ms = steady_clock_ms();
  if (now_ms >= probe_at_ms_) {
    probe_at_ms_ = now_ms + probe_interval_ms;
    auto start = copy_->probe_start();
    copy_->probed(start, store_.head(read_limit_ms), steady_clock_ms());
  }
  step_replica(steady_clock_ms());
  if (auto request = commands_->next(steady_clock_ms(), wall_clock_ms()))
    commands_->finished(store_.commit(request->expected, request->batch, request->limit_ms),
                        steady_clock_ms());
}

} // namespace picket::etcd_contract
