#include "cluster-tests/registry_sim/node.hpp"

#include <stdexcept>

namespace picket::registry_sim {

using namespace registry;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t probe_interval_ms = 500;
constexpr std::int64_t read_limit_ms = 1'000;

/// A view that remembers no request.
class forgetful_view final : public store::registry_view {
public:
  explicit forgetful_view(const store::registry_view& of)
      : of_{of} {}
  protocol::head_row head() const override { return of_.head(); }
  std::optional<protocol::agent_row> agent(agent_id id) const override { return of_.agent(id); }
  std::optional<agent_id> agent_by_name(std::string_view name) const override {
    return of_.agent_by_name(name);
  }
  std::optional<agent_id> agent_by_address(std::string_view address) const override {
    return of_.agent_by_address(address);
  }
  std::size_t agent_count() const override { return of_.agent_count(); }
  std::optional<protocol::removed_row> removed(agent_id id) const override { return of_.removed(id); }
  std::optional<protocol::group_row> group(std::string_view name) const override { return of_.group(name); }
  std::size_t group_count() const override { return of_.group_count(); }
  std::vector<agent_id> members(std::string_view group, std::size_t limit) const override {
    return of_.members(group, limit);
  }
  std::optional<protocol::command_result> outcome(const protocol::request_id&) const override { return {}; }
  std::optional<store::log_facts> logged(std::uint64_t sequence) const override {
    return of_.logged(sequence);
  }

private:
  const store::registry_view& of_;
};

} // namespace

class node::forgetful_ground final : public decision_ground {
public:
  explicit forgetful_ground(decision_ground& of)
      : of_{of} {}
  result<void> look(const looker& look) override {
    return of_.look([&](const store::registry_view& view, const expected_head& head) {
      look(forgetful_view{view}, head);
    });
  }
  bool take_own(const expected_head& expected, std::uint64_t revision,
                const store::registry_batch& batch) override {
    return of_.take_own(expected, revision, batch);
  }
  std::uint64_t applied() override { return of_.applied(); }
  void doubt(const expected_head& expected) override { of_.doubt(expected); }

private:
  decision_ground& of_;
};

class node::eager_replica final : public replica {
public:
  using replica::replica;

protected:
  bool is_new(std::uint64_t, std::uint64_t) const override { return true; }
};

node::node(int number, fs::path directory, wire& way, memory_store& store, spoil broken)
    : number_{number}
    , directory_{std::move(directory)}
    , way_{way}
    , store_{store}
    , broken_{broken} {
  start();
}

node::~node() = default;

void node::start() {
  store::registry_options options;
  options.sync = store::durability::none; // a crash is `crash`, not the process's end
  options.fresh_rows = false;
  auto opened = store::registry_tables::open(directory_ / "state", options);
  if (!opened) throw std::runtime_error{to_string(opened.error())};
  tables_ = std::move(*opened);
  replica_options copying;
  copying.cluster = "simulated";
  copy_ = broken_ == spoil::skip_rule ? std::make_unique<eager_replica>(*tables_, copying)
                                      : std::make_unique<replica>(*tables_, copying);
  decide_context context;
  context.node = static_cast<std::uint32_t>(number_);
  context.log = {20'000, 20, 0};
  batcher_options batching;
  batching.repeat_limit_ms = 10'000;
  batching.seed = static_cast<std::uint64_t>(number_);
  if (broken_ == spoil::request_ids) ground_ = std::make_unique<forgetful_ground>(*copy_);
  commands_ = std::make_unique<batcher>(ground_ ? *ground_ : *copy_, context, batching);
  ++life_;
  acted_on_ = 0;
  probe_at_ms_ = 0;
}

void node::sync() {
  auto place = directory_ / ("synced-" + std::to_string(++syncs_));
  if (auto done = tables_->environment()->copy_to(place); !done)
    throw std::runtime_error{to_string(done.error())};
  fs::remove_all(directory_ / ("synced-" + std::to_string(syncs_ - 1)));
}

void node::crash() {
  way_.close_watch(watch_);
  commands_.reset();
  ground_.reset();
  copy_.reset();
  tables_.reset();
  fs::remove_all(directory_ / "state");
  auto saved = directory_ / ("synced-" + std::to_string(syncs_));
  if (fs::exists(saved)) fs::copy(saved, directory_ / "state");
}

protocol::request_id node::next_request() { return {static_cast<std::uint32_t>(number_), life_, ++counter_}; }

/// What nobody should do: the writes of a batch that lost, on a head that they were not decided on.
void node::resend(const commit_request& request) {
  auto again = request;
  again.expected = store_.head(0).head;
  auto head = *protocol::decode_head_row(again.expected.row);
  again.batch.head.sequence = head.sequence + 1;
  again.batch.head.time_ms = std::max(head.time_ms + 1, again.batch.head.time_ms);
  again.batch.head.epoch = head.epoch;
  again.batch.head.next_agent_id = std::max(head.next_agent_id, again.batch.head.next_agent_id);
  again.batch.trim_log_to = again.batch.trim_log_from;
  way_.commit(number_, again, [](const commit_outcome&) {});
}

void node::step_commands(std::int64_t now_ms) {
  auto request = commands_->next(now_ms, wall_ms(now_ms));
  if (!request) return;
  way_.commit(number_, *request, [this, life = life_, sent = *request](const commit_outcome& outcome) {
    if (!up() || life != life_) return;
    if (broken_ == spoil::resend && outcome.status == commit_status::conflict) resend(sent);
    commands_->finished(outcome, way_.now_ms());
  });
}

void node::load_page(const replica_wish& wish) {
  auto from = wish.page;
  if (broken_ == spoil::resync_revision && from.revision != 0) from.revision = store_.revision();
  way_.load(number_, from, read_limit_ms, [this, life = life_, wish](const registry::load_page& got) {
    if (!up() || life != life_) return;
    auto page = got;
    if (broken_ == spoil::resync_revision && wish.page.revision != 0) page.revision = wish.page.revision;
    copy_->took_page(wish.number, page, way_.now_ms());
  });
}

void node::step_replica(std::int64_t now_ms) {
  auto wish = copy_->wish();
  if (now_ms < wish.not_before_ms) return;
  if (acted_on_ == wish.number) {
    if (wish.what == replica_wish::kind::watch) copy_->took_changes(wish.number, way_.look(watch_), now_ms);
    return;
  }
  acted_on_ = wish.number;
  way_.close_watch(watch_);
  switch (wish.what) {
  case replica_wish::kind::head:
    way_.head(number_, read_limit_ms, [this, life = life_, wish](const head_answer& answer) {
      if (up() && life == life_) copy_->took_head(wish.number, answer, way_.now_ms());
    });
    break;
  case replica_wish::kind::load:
    load_page(wish);
    break;
  case replica_wish::kind::watch:
    watch_ = way_.open_watch(number_, wish.watch_from);
    break;
  }
}

void node::probe(std::int64_t now_ms) {
  probe_at_ms_ = now_ms + probe_interval_ms;
  way_.head(number_, read_limit_ms,
            [this, life = life_, start = copy_->probe_start()](const head_answer& answer) {
              if (!up() || life != life_) return;
              commands_->set_quorum(answer.status == read_status::fine);
              copy_->probed(start, answer, way_.now_ms());
            });
}

void node::step(std::int64_t now_ms) {
  if (!up()) return;
  if (now_ms >= probe_at_ms_) probe(now_ms);
  step_replica(now_ms);
  step_commands(now_ms);
}

} // namespace picket::registry_sim
