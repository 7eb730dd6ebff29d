#include "actors/decoder/record_reader.hpp"

#include <gtest/gtest.h>

#include "actors/registry/decide_batch.hpp"
#include "actors/testing/bare_link.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket {
namespace {

class RecordReader : public ::testing::Test {
protected:
  void SetUp() override {
    auto opened = store::registry_tables::open(scratch.path() / "state");
    ASSERT_TRUE(opened) << to_string(opened.error());
    tables = std::move(*opened);
    add("web-01", key);
    reader = std::make_unique<record_reader>(setup());
  }

  reader_setup setup(bool check_counters = false) {
    return {tables,        statuses, sessions, counts, event_log::silent(), {"mgr-01", "", "mgr-01"},
            check_counters};
  }

  void commit(protocol::command_arguments arguments) {
    protocol::command command;
    command.request = {1, 1, ++counter};
    command.arguments = std::move(arguments);
    registry::decided_batch decided;
    {
      auto view = tables->read().value();
      decided = registry::decide_batch(view, {&command}, {}, 1'700'000'000'000);
    }
    ASSERT_TRUE(decided.commands.front().result.done()) << decided.commands.front().result.text;
    ASSERT_TRUE(tables->commit(decided.batch));
  }

  void add(const std::string& name, const std::string& with_key) {
    protocol::agent_add request;
    request.name = name;
    request.key = with_key;
    request.address = "any";
    request.state = protocol::confirmation::confirmed;
    commit(request);
  }

  std::string seal(const std::string& message, const std::string& with_key) {
    protocol::record_sealer sealer{protocol::derive_record_key("001", "web-01", with_key)};
    protocol::seal_scratch memory{1};
    byte_buffer out;
    EXPECT_TRUE(sealer.seal(message, {protocol::record_cipher::aes, {0, ++pair}, 1, "001"}, out, memory));
    return std::string{as_text(out)};
  }

  work& batch(const std::vector<std::string>& records) {
    kept = records;
    what = std::make_unique<work>();
    what->id = {1, 2, 3};
    for (const auto& record : kept)
      what->records.push_back({1, 0, 1'700'000'000'123, record_kind::sealed, record});
    return *what;
  }

  double bad(const std::string& reason) { return counts->ingest_bad_records_total.value_for(reason); }

  const std::string key = std::string(64, 'k');
  testing::scratch_directory scratch;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<agent_status_table> statuses = std::make_shared<agent_status_table>();
  std::shared_ptr<session_directory> sessions = std::make_shared<session_directory>();
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::unique_ptr<record_reader> reader;
  std::vector<std::string> kept;
  std::unique_ptr<work> what;
  std::uint64_t counter = 0;
  std::uint32_t pair = 0;
};

TEST_F(RecordReader, MakesAnEventWithItsSourceAndIdentity) {
  auto& one = batch({seal("1:/var/log/auth.log:hello", key), seal("1:C|:\\a.log:x:y", key)});
  reader->read(one);
  ASSERT_EQ(one.events.size(), 2u);
  EXPECT_EQ(one.events[0].text, "hello");
  EXPECT_EQ(one.events[0].source->agent_id, "001");
  EXPECT_EQ(one.events[0].source->agent_name, "web-01");
  EXPECT_EQ(one.events[0].source->location, "/var/log/auth.log");
  EXPECT_EQ(one.events[0].source->rule_location, "(web-01) any->/var/log/auth.log");
  EXPECT_EQ(one.events[0].source->manager_name, "mgr-01");
  EXPECT_EQ(one.events[0].arrival_ms, 1'700'000'000'123);
  EXPECT_EQ(one.events[1].source->location, "C:\\a.log");
  EXPECT_EQ(one.events[1].text, "x:y");
  EXPECT_EQ(one.events[1].id.index, 1u) << "the index of the record, whatever else is in the batch";
}

TEST_F(RecordReader, TheAddressAndLabelsOfAKeepAliveAreInTheSource) {
  reader->read(batch({seal("1:/x:first", key)}));
  EXPECT_EQ(what->events[0].source->agent_ip, "");
  statuses->update(1, [](agent_status& status) {
    status.last_keepalive.agent_ip = "192.0.2.7";
    status.last_keepalive.labels = {{"site", "lab", false, false}, {"_sys", "x", false, true}};
  });
  reader->read(batch({seal("1:/x:second", key)}));
  EXPECT_EQ(what->events[0].source->agent_ip, "192.0.2.7");
  ASSERT_EQ(what->events[0].source->labels.size(), 1u) << "system labels are not shown";
}

TEST_F(RecordReader, SynchronisationAndMalformedMessagesAreNoEvents) {
  reader->read(batch({seal("5:fim_file:{}", key), seal("u:upgrade_module:{}", key),
                      seal("no queue at all", key), seal("1:ok:fine", key)}));
  ASSERT_EQ(what->events.size(), 1u);
  EXPECT_EQ(what->events[0].text, "fine");
  EXPECT_EQ(counts->ingest_malformed_events_total.value(), 1);
  EXPECT_EQ(counts->ingest_skipped_messages_total.value_for("synchronisation"), 1);
  EXPECT_EQ(counts->ingest_skipped_messages_total.value_for("upgrade"), 1);
}

TEST_F(RecordReader, ALineOfWhichTheAnalysisDiesIsKeptFromIt) {
  auto with = setup();
  with.letters = store::deadletter_store::open(scratch.path() / "letters", 10).value();
  store::dead_letter letter;
  letter.head.id = "1-2-3";
  letter.head.examined = true;
  letter.text = "poison";
  ASSERT_TRUE(with.letters->keep(letter));
  record_reader careful{with};
  auto& one = batch({seal("1:/x:poison", key), seal("1:/y:poison", key), seal("1:/x:water", key)});
  careful.read(one);
  ASSERT_EQ(one.events.size(), 1u);
  EXPECT_EQ(one.events[0].text, "water");
  EXPECT_EQ(counts->deadletter_lines_total.value_for("again"), 2);
  EXPECT_EQ(with.letters->find("1-2-3")->seen_again, 2u);
  one.records = {{1, 0, 1'000, record_kind::again, "1:/x:poison"},
                 {1, 0, 1'000, record_kind::left_out, "1:/x:wine"}};
  careful.read(one);
  ASSERT_EQ(one.events.size(), 1u) << "what an operator sends on is analysed, what was left out is not";
  EXPECT_EQ(one.events[0].text, "poison");
  ASSERT_TRUE(with.letters->drop("1-2-3"));
  careful.read(batch({seal("1:/x:poison", key)}));
  EXPECT_EQ(what->events.size(), 1u) << "only as long as the letter is kept";
}

TEST_F(RecordReader, ATextEndsAtItsFirstNul) {
  reader->read(batch({seal(std::string{"1:/x:a\0b", 8}, key)}));
  EXPECT_EQ(what->events[0].text, "a");
}

TEST_F(RecordReader, BehindABadRecordNothingOfTheConnectionIsBelieved) {
  auto good = seal("1:/x:good", key);
  auto flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  reader->read(batch({seal("1:/x:before", key), flipped, good}));
  ASSERT_EQ(what->events.size(), 1u);
  EXPECT_EQ(what->events[0].text, "before");
  EXPECT_EQ(bad("behind_bad"), 1) << "and it is counted";
}

TEST_F(RecordReader, ANoticeAboutAnAgentThatWasRemovedIsCounted) {
  what = std::make_unique<work>();
  std::string notice = "1:wazuh-remoted:ossec: Agent stopped: 'gone->any'.";
  what->records = {{77, 0, 5, record_kind::plain, notice}};
  reader->read(*what);
  EXPECT_TRUE(what->events.empty());
  EXPECT_EQ(bad("unknown_agent"), 1);
}

TEST_F(RecordReader, ANewKeyCountsAtOnceAndARemovedAgentIsUnknown) {
  reader->read(batch({seal("1:/x:old key", key)}));
  EXPECT_EQ(what->events.size(), 1u);
  auto fresh = std::string(64, 'n');
  commit(protocol::agent_rekey{1, fresh});
  reader->read(batch({seal("1:/x:new key", fresh)}));
  EXPECT_EQ(what->events.size(), 1u);
  commit(protocol::agent_remove{{1}, "test"});
  reader->read(batch({seal("1:/x:gone", fresh)}));
  EXPECT_TRUE(what->events.empty());
  EXPECT_EQ(bad("unknown_agent"), 1);
}

TEST_F(RecordReader, WithReceiveCheckingARepeatedRecordIsRefused) {
  reader = std::make_unique<record_reader>(setup(true));
  auto record = seal("1:/x:once", key);
  reader->read(batch({record}));
  EXPECT_EQ(what->events.size(), 1u);
  reader->read(batch({record}));
  EXPECT_TRUE(what->events.empty());
  EXPECT_EQ(bad("repeated"), 1);
}

/// An agent that says goodbye and hangs up: whoever ends its session must not come before the message.
TEST_F(RecordReader, AConnectionHasNothingMoreOnlyWhenItsMessagesAreSent) {
  testing::bare_link with{sessions->anchor(1)};
  auto& link = *with.link;
  sessions->bind(with.link, {});
  auto& one = batch({seal("#!-agent shutdown ", key)});
  one.records[0].connection = link.token();
  link.taken_batch = one.id.sequence;
  link.waiting_records = 1;
  link.mark_ended();
  auto control = reader->read(one);
  ASSERT_EQ(control.size(), 1u);
  EXPECT_EQ(control[0].messages->messages.size(), 1u);
  EXPECT_FALSE(link.take_end()) << "the I/O thread would end the session before it has the message";
  EXPECT_EQ(reader->settle(one).size(), 1u);
  EXPECT_FALSE(link.waits());
  EXPECT_EQ(link.waiting_records, 0);
  EXPECT_FALSE(sessions->by_token(link.token()));
}

TEST_F(RecordReader, TheNodesOwnEventsNeedNoOpening) {
  what = std::make_unique<work>();
  std::string notice = "1:wazuh-monitord:ossec: Manager started.";
  std::string of_agent = "1:wazuh-remoted:ossec: Agent stopped: 'web-01->any'.";
  what->records = {{0, 0, 5, record_kind::plain, notice}, {1, 0, 5, record_kind::plain, of_agent}};
  reader->read(*what);
  ASSERT_EQ(what->events.size(), 2u);
  EXPECT_EQ(what->events[0].source->agent_id, "000");
  EXPECT_EQ(what->events[0].source->location, "wazuh-monitord");
  EXPECT_EQ(what->events[1].source->agent_id, "001");
}

} // namespace
} // namespace picket
