#include "actors/registry/etcd_store.hpp"

#include "store/registry/key_text.hpp"

namespace picket::registry {

using namespace protocol::etcd;

namespace {

constexpr int ok_status = 200;

bool good(const etcd_reply& reply) { return reply.kind == reply_kind::answered && reply.status == ok_status; }

/// Why an answer was none, for people.
error why_not(const etcd_reply& reply, std::string_view doing) {
  if (reply.kind != reply_kind::answered) return reply.why;
  auto said = decode_failure(reply.body);
  return {errc::registry_unavailable,
          "etcd refuses to " + std::string{doing} + ": HTTP " + std::to_string(reply.status) + " "
              + said.message,
          reply.why.where,
          {}};
}

error foreign(const std::string& where) {
  return {errc::registry_unavailable, "this is another etcd cluster than the registry's", where,
          "see the addresses in the configuration"};
}

} // namespace

etcd_store::etcd_store(etcd_store_options options)
    : options_{std::move(options)}
    , prefix_{"/picket/" + options_.cluster + "/t/"}
    , writer_{options_.access}
    , prober_{options_.access}
    , loader_{options_.access}
    , etcd_cluster_{options_.etcd_cluster} {}

/// The first cluster that answers is ours, if none was named.
bool etcd_store::is_ours(std::uint64_t etcd_cluster) {
  std::uint64_t known = 0;
  if (etcd_cluster_.compare_exchange_strong(known, etcd_cluster)) return true;
  return known == etcd_cluster;
}

std::string etcd_store::key_of_row(store::registry_table table, std::string_view key) const {
  return prefix_ + store::key_text(table, key);
}

commit_outcome etcd_store::commit(const expected_head& expected, const store::registry_batch& batch,
                                  std::int64_t limit_ms) {
  transaction what;
  what.guard = key_of_row(store::registry_table::head, {});
  what.guard_revision = expected.revision;
  what.guard_value = expected.row;
  for (const auto& write : batch.writes)
    what.operations.push_back({key_of_row(write.table, write.key), write.row, {}});
  auto log_key = [&](std::uint64_t sequence) {
    return key_of_row(store::registry_table::log, store::key_of(sequence));
  };
  if (batch.trim_log_from < batch.trim_log_to)
    what.operations.push_back({log_key(batch.trim_log_from), std::nullopt, log_key(batch.trim_log_to)});
  what.operations.push_back({log_key(batch.head.sequence), protocol::encode(batch.log), {}});
  what.operations.push_back({what.guard, protocol::encode(batch.head), {}});

  auto reply = writer_.post("/v3/kv/txn", encode(what), limit_ms);
  if (!good(reply))
    return {commit_status_of(reply.kind, reply.status, reply.body), 0, why_not(reply, "commit")};
  auto answer = decode_transaction_answer(reply.body);
  if (!answer) return {commit_status::unknown, 0, answer.error()};
  if (!is_ours(answer->from.cluster)) {
    writer_.leave_endpoint();
    return {commit_status::wrong_cluster, 0, foreign(reply.why.where)};
  }
  if (answer->succeeded) return {commit_status::committed, answer->from.revision, {}};
  return {commit_status::conflict, answer->guard ? answer->guard->revision : 0, {}};
}

head_answer etcd_store::head(std::int64_t limit_ms) {
  head_answer out;
  auto reply = prober_.post(
      "/v3/kv/range", encode(range_request{key_of_row(store::registry_table::head, {}), {}, 0, 0}), limit_ms);
  if (!good(reply)) {
    out.why = why_not(reply, "read");
    return out;
  }
  auto answer = decode_range_answer(reply.body);
  if (!answer) {
    out.why = answer.error();
    return out;
  }
  if (!is_ours(answer->from.cluster)) {
    prober_.leave_endpoint();
    out.status = read_status::wrong_cluster;
    out.why = foreign(reply.why.where);
    return out;
  }
  out.status = read_status::fine;
  out.store_revision = answer->from.revision;
  if (!answer->rows.empty()) out.head = {answer->rows.front().revision, answer->rows.front().value};
  return out;
}

load_page etcd_store::load(const load_position& from, std::int64_t limit_ms) {
  load_page page;
  range_request what;
  // The first key behind the last one that was read.
  what.key = from.revision == 0 ? prefix_ : prefix_ + from.after + '\0';
  what.end = end_of_prefix(prefix_);
  what.limit = page_rows;
  what.revision = from.revision;
  auto reply = loader_.post("/v3/kv/range", encode(what), limit_ms);
  if (reply.too_long) page_rows = std::max<std::size_t>(1, page_rows / 2);
  if (!good(reply)) {
    page.status = read_status_of(reply.kind, reply.status, reply.body);
    page.why = why_not(reply, "load");
    return page;
  }
  auto answer = decode_range_answer(reply.body);
  if (!answer) {
    page.why = answer.error();
    return page;
  }
  if (!is_ours(answer->from.cluster)) {
    loader_.leave_endpoint();
    page.status = read_status::wrong_cluster;
    page.why = foreign(reply.why.where);
    return page;
  }
  page.status = read_status::fine;
  page.revision = from.revision == 0 ? answer->from.revision : from.revision;
  page.last = !answer->more;
  page.after = from.after;
  for (auto& row : answer->rows) {
    auto text = std::string_view{row.key}.substr(std::min(row.key.size(), prefix_.size()));
    page.after = text;
    auto [table, key] = store::parse_key_text(text);
    if (table == store::registry_table::head) page.head_revision = row.revision;
    page.rows.push_back({table, std::move(key), std::move(row.value)});
  }
  return page;
}

std::vector<store::revision_changes> etcd_store::revisions_of(const std::string& prefix,
                                                              const std::vector<event>& events) {
  std::vector<store::revision_changes> all;
  for (const auto& one : events) {
    if (one.key.compare(0, prefix.size(), prefix) != 0) continue;
    if (all.empty() || all.back().revision != one.revision) all.push_back({one.revision, {}});
    auto [table, key] = store::parse_key_text(std::string_view{one.key}.substr(prefix.size()));
    all.back().rows.push_back({table, std::move(key), one.value});
  }
  return all;
}

class etcd_store::stream final : public change_stream {
public:
  stream(etcd_store& of, std::size_t endpoint, std::uint64_t from)
      : of_{of}
      , lines_{of.options_.access, endpoint, "/v3/watch",
               encode(watch_request{of.prefix_, end_of_prefix(of.prefix_), from})} {}

  stream_step next(std::int64_t limit_ms) override {
    stream_step step;
    if (ended_) {
      step.end = ended_;
      return step;
    }
    auto taken = lines_.next(limit_ms);
    for (const auto& line : taken.lines) {
      take(line, step);
      if (step.end) break;
    }
    if (!step.end && taken.ended) {
      step.end = watch_end::lost;
      step.why = why_not(taken.how, "watch");
    }
    ended_ = step.end;
    return step;
  }

private:
  void take(const std::string& line, stream_step& step) {
    auto message = decode_watch_message(line);
    if (!message || message->failed) {
      step.end = watch_end::lost;
      step.why = message ? error{errc::registry_unavailable,
                                 "etcd ends the watch: " + message->failed->message,
                                 "etcd",
                                 {}}
                         : message.error();
      return;
    }
    if (!of_.is_ours(message->from.cluster)) {
      step.end = watch_end::wrong_cluster;
      step.why = foreign("watch");
      return;
    }
    if (message->canceled) {
      step.end = message->compacted != 0 ? watch_end::compacted : watch_end::lost;
      return;
    }
    for (auto& one : revisions_of(of_.prefix_, message->events))
      step.changes.push_back(std::move(one));
  }

  etcd_store& of_;
  etcd_line_stream lines_;
  std::optional<watch_end> ended_;
};

std::unique_ptr<change_stream> etcd_store::changes(std::uint64_t from) {
  return std::make_unique<stream>(*this, watches_.fetch_add(1), from);
}

} // namespace picket::registry
