#include "store/registry/registry_tables.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"

namespace picket::store {
namespace {

row_write agent(agent_id id, const std::string& name, const std::string& address = "any",
                std::vector<std::string> groups = {}) {
  protocol::agent_row row;
  row.name = name;
  row.key = "key of " + name;
  row.address = address;
  row.groups = std::move(groups);
  return {registry_table::agents, agent_key(id), protocol::encode(row)};
}

row_write no_agent(agent_id id) { return {registry_table::agents, agent_key(id), std::nullopt}; }

row_write log_of(std::uint64_t sequence, std::vector<protocol::request_id> requests) {
  protocol::log_row row;
  for (const auto& id : requests)
    row.commands.push_back({id, "group_put", {}});
  return {registry_table::log, key_of(sequence), protocol::encode(row)};
}

row_write head_of(std::uint64_t sequence) {
  protocol::head_row row;
  row.sequence = sequence;
  return {registry_table::head, {}, protocol::encode(row)};
}

class RegistryTables : public ::testing::Test {
protected:
  void SetUp() override { open(); }
  void open() {
    tables.reset();
    registry_options options;
    options.sync = durability::none;
    auto opened = registry_tables::open(directory, options);
    ASSERT_TRUE(opened) << to_string(opened.error());
    tables = std::move(*opened);
  }
  void apply(std::uint64_t revision, std::vector<row_write> rows) {
    auto done = tables->apply({{revision, std::move(rows)}}, {"c", revision, revision});
    ASSERT_TRUE(done) << to_string(done.error());
    EXPECT_EQ(tables->check_consistency(), "");
  }
  std::size_t load_directories() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{directory})
      if (entry.path().filename().string().rfind("load-", 0) == 0) ++count;
    return count;
  }

  testing::scratch_directory scratch;
  std::filesystem::path directory = scratch.path() / "state";
  std::unique_ptr<registry_tables> tables;
};

TEST_F(RegistryTables, TheMarkIsWrittenWithTheRows) {
  EXPECT_EQ(tables->read()->mark(), (replica_mark{"", 0, 0}));
  apply(7, {agent(1, "web"), head_of(1)});
  EXPECT_EQ(tables->read()->mark(), (replica_mark{"c", 7, 7}));
  open();
  EXPECT_EQ(tables->read()->mark(), (replica_mark{"c", 7, 7})) << "also after a restart";
  auto bad =
      tables->apply({{8, {agent(2, "db"), {registry_table::agents, agent_key(3), "no row"}}}}, {"c", 8, 8});
  EXPECT_FALSE(bad);
  EXPECT_EQ(tables->read()->mark(), (replica_mark{"c", 7, 7})) << "all or nothing";
  EXPECT_FALSE(tables->read()->agent(2));
}

TEST_F(RegistryTables, ASingleNodeStandsAtItsSequence) {
  registry_batch batch;
  batch.head.sequence = 5;
  ASSERT_TRUE(tables->commit(batch));
  EXPECT_EQ(tables->read()->mark(), (replica_mark{"", 5, 5}));
}

TEST_F(RegistryTables, NamesFollowTheirAgentsInWhateverOrderTheRowsOfARevisionCome) {
  apply(2, {agent(1, "web", "10.0.0.1", {"default"})});
  apply(3, {agent(2, "web", "10.0.0.1"), no_agent(1)});
  EXPECT_EQ(tables->read()->agent_by_name("web"), agent_id{2});
  apply(4, {no_agent(2), agent(3, "web", "10.0.0.1")});
  EXPECT_EQ(tables->read()->agent_by_name("web"), agent_id{3});
  EXPECT_EQ(tables->read()->members("default", 9).size(), 0u);
}

TEST_F(RegistryTables, AnOutcomeGoesWithItsRowOfTheLog) {
  apply(2, {log_of(1, {{1, 1, 1}, {1, 1, 2}}), head_of(1)});
  EXPECT_TRUE(tables->read()->outcome({1, 1, 2}));
  EXPECT_EQ(tables->read()->logged(1)->time_ms, 0);
  apply(3, {{registry_table::log, key_of(1), std::nullopt}, log_of(2, {{1, 1, 3}}), head_of(2)});
  EXPECT_FALSE(tables->read()->outcome({1, 1, 2}));
  EXPECT_TRUE(tables->read()->outcome({1, 1, 3}));
}

TEST_F(RegistryTables, KeepsWhatANewerVersionWrote) {
  row_write setting{registry_table::other, "set/agents.max", "value"};
  apply(2, {setting});
  auto rows = tables->read()->all_rows();
  EXPECT_NE(std::find(rows.begin(), rows.end(), setting), rows.end());
  setting.row.reset();
  apply(3, {setting});
  for (const auto& row : tables->read()->all_rows())
    EXPECT_NE(row.table, registry_table::other);
}

TEST_F(RegistryTables, ReadersKeepTheOldTablesUntilTheyLookAgain) {
  apply(2, {agent(1, "old")});
  auto fresh = tables->begin_load();
  ASSERT_TRUE(fresh) << to_string(fresh.error());
  ASSERT_TRUE((*fresh)->apply({{9, {agent(2, "new"), head_of(4)}}}, {"c", 9, 9}));
  EXPECT_TRUE(tables->read()->agent(1)) << "not before it is switched";
  auto generation = tables->generation();
  {
    auto reader = tables->read();
    ASSERT_TRUE(tables->switch_to(std::move(*fresh)));
    EXPECT_TRUE(reader->agent(1));
    EXPECT_FALSE(reader->agent(2));
    EXPECT_FALSE(tables->read()->agent(1));
    EXPECT_TRUE(tables->read()->agent(2));
    EXPECT_GT(tables->generation(), generation);
    EXPECT_TRUE(std::filesystem::exists(directory / "data.mdb")) << "a reader has it";
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "data.mdb"));
  open();
  EXPECT_TRUE(tables->read()->agent(2)) << "also after a restart";
  EXPECT_EQ(tables->read()->mark().applied, 9u);
}

TEST_F(RegistryTables, ABrokenLoadIsGoneAtTheNextStart) {
  apply(2, {agent(1, "web")});
  {
    auto fresh = tables->begin_load();
    ASSERT_TRUE(fresh);
    (*fresh)->keep_at_end(); // as a crash would leave it
  }
  EXPECT_EQ(load_directories(), 1u);
  open();
  EXPECT_EQ(load_directories(), 0u);
  EXPECT_TRUE(tables->read()->agent(1));
  for (int i = 0; i < 3; ++i) {
    auto fresh = tables->begin_load();
    ASSERT_TRUE(fresh);
    ASSERT_TRUE((*fresh)->apply({}, {"c", 9, 9}));
    ASSERT_TRUE(tables->switch_to(std::move(*fresh)));
  }
  EXPECT_EQ(load_directories(), 1u);
}

TEST_F(RegistryTables, ANameFileThatNamesNothingIsNotFollowed) {
  apply(2, {agent(1, "web")});
  tables.reset();
  for (const char* name : {"../elsewhere", "load-", "load-x", "", "load-99999999999999999999"}) {
    std::ofstream{directory / "current"} << name << '\n';
    open();
    EXPECT_TRUE(tables->read()->agent(1)) << name;
  }
}

TEST_F(RegistryTables, ADerivedRowThatDiffersIsFound) {
  apply(2, {agent(1, "web", "10.0.0.1", {"default"})});
  auto done = tables->apply({{3, {agent(2, "web")}}}, {"c", 3, 3});
  ASSERT_TRUE(done);
  EXPECT_EQ(tables->check_consistency(), "name of agent 001") << "two agents of one name";
}

} // namespace
} // namespace picket::store
