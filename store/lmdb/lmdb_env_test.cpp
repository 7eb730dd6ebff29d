#include "base/testing/scratch_directory.hpp"
#include "store/lmdb/lmdb_env.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace picket::store {
namespace {

class LmdbEnv : public ::testing::Test {
protected:
  lmdb_env open(const lmdb_options& options = quick()) {
    auto env = lmdb_env::open(scratch.path() / "state", options);
    EXPECT_TRUE(env) << to_string(env.error());
    return std::move(*env);
  }
  /// Without syncing: the disks of test machines are slow.
  static lmdb_options quick() {
    lmdb_options options;
    options.sync = durability::none;
    options.initial_bytes = 1U << 20U;
    return options;
  }

  testing::scratch_directory scratch;
};

TEST_F(LmdbEnv, WritesReadsAndErases) {
  auto env = open();
  auto agents = env.open_table("agents").value();
  ASSERT_TRUE(env.update([&](write_txn& txn) -> result<void> {
    EXPECT_TRUE(txn.put(agents, agent_key(7), "seven"));
    EXPECT_TRUE(txn.put_new(agents, agent_key(8), "eight").value());
    EXPECT_FALSE(txn.put_new(agents, agent_key(8), "other").value());
    EXPECT_EQ(txn.get(agents, agent_key(7)).value(), "seven") << "own writes are seen";
    return {};
  }));
  {
    auto txn = env.read().value();
    EXPECT_EQ(txn.get(agents, agent_key(8)).value(), "eight");
    EXPECT_EQ(txn.get(agents, agent_key(9)).value(), std::nullopt);
    EXPECT_EQ(txn.get(agents, "").value(), std::nullopt);
    EXPECT_TRUE(txn.contains(agents, agent_key(7)).value());
    EXPECT_EQ(txn.count(agents).value(), 2u);
  }
  ASSERT_TRUE(env.update([&](write_txn& txn) -> result<void> {
    EXPECT_TRUE(txn.erase(agents, agent_key(7)).value());
    EXPECT_FALSE(txn.erase(agents, agent_key(7)).value());
    return {};
  }));
  EXPECT_EQ(env.read()->count(agents).value(), 1u);
}

TEST_F(LmdbEnv, UndoesWhatIsNotCommitted) {
  auto env = open();
  auto t = env.open_table("t").value();
  auto refused = env.update([&](write_txn& txn) -> result<void> {
    EXPECT_TRUE(txn.put(t, "a", "1"));
    return fail(errc::invalid_argument, "no");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::invalid_argument);
  {
    auto txn = env.write().value();
    EXPECT_TRUE(txn.put(t, "b", "1"));
  }
  EXPECT_EQ(env.read()->count(t).value(), 0u);
}

TEST_F(LmdbEnv, WalksInTheOrderOfNumbers) {
  auto env = open();
  auto t = env.open_table("log").value();
  ASSERT_TRUE(env.update([&](write_txn& txn) -> result<void> {
    for (std::uint64_t n : {300, 2, 70'000, 1})
      EXPECT_TRUE(txn.put(t, key_of(n), std::to_string(n)));
    return {};
  }));
  auto txn = env.read().value();
  auto rows = txn.walk(t).value();
  std::vector<std::uint64_t> seen;
  for (auto row = rows.first().value(); row; row = rows.next().value())
    seen.push_back(number_of(row->key));
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 300, 70'000}));
  EXPECT_EQ(rows.last().value()->value, "70000");
  EXPECT_EQ(rows.previous().value()->value, "300");
  EXPECT_EQ(rows.seek(key_of(3)).value()->value, "300");
  EXPECT_EQ(rows.seek(key_of(80'000)).value(), std::nullopt);
}

TEST_F(LmdbEnv, VisitsTheRowsUnderAPrefix) {
  auto env = open();
  auto t = env.open_table("group_agents").value();
  ASSERT_TRUE(env.update([&](write_txn& txn) -> result<void> {
    for (const char* key : {"db:1", "web:1", "web:2", "web:3", "x"})
      EXPECT_TRUE(txn.put(t, key, ""));
    return {};
  }));
  auto txn = env.read().value();
  std::string seen;
  ASSERT_TRUE(txn.each(t, "web:", [&](const row_view& row) {
    seen.append(row.key).append(" ");
    return row.key != "web:2";
  }));
  EXPECT_EQ(seen, "web:1 web:2 ");
}

TEST_F(LmdbEnv, GrowsWhenItIsFullAndStaysGrown) {
  std::string large(4'000, 'x');
  std::uint64_t grown = 0;
  {
    auto env = open();
    auto t = env.open_table("t").value();
    for (std::uint64_t n = 0; n < 1'000; n += 250) {
      auto done = env.update([&](write_txn& txn) -> result<void> {
        for (auto i = n; i < n + 250; ++i)
          if (auto put = txn.put(t, key_of(i), large); !put) return put;
        return {};
      });
      ASSERT_TRUE(done) << to_string(done.error());
    }
    EXPECT_EQ(env.read()->count(t).value(), 1'000u);
    grown = env.figures()->map_bytes;
    EXPECT_GE(grown, 4U << 20U);
  }
  auto env = open();
  auto t = env.open_table("t").value();
  EXPECT_EQ(env.read()->count(t).value(), 1'000u);
  EXPECT_GE(env.figures()->map_bytes, env.figures()->used_bytes);
}

TEST_F(LmdbEnv, SaysWhenItsLimitIsReachedAndGoesOn) {
  auto options = quick();
  options.limit_bytes = 2U << 20U;
  auto env = open(options);
  auto t = env.open_table("t").value();
  auto done = env.update([&](write_txn& txn) -> result<void> {
    for (std::uint64_t i = 0; i < 2'000; ++i)
      if (auto put = txn.put(t, key_of(i), std::string(4'000, 'x')); !put) return put;
    return {};
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::store_full);
  EXPECT_EQ(env.read()->count(t).value(), 0u);
  EXPECT_TRUE(env.update([&](write_txn& txn) { return txn.put(t, "a", "b"); }));
}

TEST_F(LmdbEnv, DoesNotWaitForEverForAnOpenReaderWhenItMustGrow) {
  auto options = quick();
  options.grow_wait_ms = 1;
  auto env = open(options);
  auto t = env.open_table("t").value();
  std::atomic<bool> reading = false;
  std::atomic<bool> stop = false;
  std::thread reader{[&] {
    auto txn = env.read().value();
    reading = true;
    while (!stop)
      std::this_thread::yield();
  }};
  while (!reading)
    std::this_thread::yield();
  auto fill = [&](write_txn& txn) { return txn.put(t, "large", std::string(3U << 20U, 'x')); };
  auto done = env.update(fill);
  stop = true;
  reader.join();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, errc::timeout);
  EXPECT_TRUE(env.update(fill));
}

TEST_F(LmdbEnv, ReadersAndAGrowingWriterGetAlong) {
  auto env = open();
  auto t = env.open_table("t").value();
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> torn = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        auto txn = env.read().value();
        auto a = txn.get(t, "a").value();
        auto b = txn.get(t, "b").value();
        if (a != b) ++torn;
      }
    });
  for (std::uint64_t n = 0; n < 200; ++n)
    ASSERT_TRUE(env.update([&](write_txn& txn) -> result<void> {
      if (auto put = txn.put(t, "fill" + std::to_string(n), std::string(20'000, 'x')); !put) return put;
      if (auto put = txn.put(t, "a", std::to_string(n)); !put) return put;
      return txn.put(t, "b", std::to_string(n));
    }));
  stop = true;
  for (auto& reader : readers)
    reader.join();
  EXPECT_EQ(torn, 0u);
}

TEST_F(LmdbEnv, KeepsWhatAKilledProcessCommitted) {
  auto child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto env = lmdb_env::open(scratch.path() / "state", quick());
    auto t = env->open_table("t");
    auto done = env->update([&](write_txn& txn) { return txn.put(*t, "a", "kept"); });
    auto open_txn = env->write();
    (void)open_txn->put(*t, "b", "not committed");
    _exit(done ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  auto env = open();
  auto t = env.open_table("t").value();
  EXPECT_EQ(env.read()->get(t, "a").value(), "kept");
  EXPECT_EQ(env.read()->get(t, "b").value(), std::nullopt);
}

TEST_F(LmdbEnv, FilesAreForTheOwnerAlone) {
  auto env = open();
  struct stat info {};
  ASSERT_EQ(stat((scratch.path() / "state" / "data.mdb").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600u);
}

TEST_F(LmdbEnv, SaysWhereItCannotOpen) {
  auto plain_file = scratch.write("not_a_directory", "x");
  auto env = lmdb_env::open(plain_file / "state");
  ASSERT_FALSE(env);
  EXPECT_NE(env.error().where.find("not_a_directory"), std::string::npos);

  scratch.write("bad/data.mdb", std::string(8'192, 'z'));
  auto damaged = lmdb_env::open(scratch.path() / "bad");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, errc::corrupt) << to_string(damaged.error());
}

TEST_F(LmdbEnv, CopiesItself) {
  auto env = open();
  auto t = env.open_table("t").value();
  ASSERT_TRUE(env.update([&](write_txn& txn) { return txn.put(t, "a", "1"); }));
  ASSERT_TRUE(env.copy_to(scratch.path() / "copy"));
  auto copy = lmdb_env::open(scratch.path() / "copy", quick());
  ASSERT_TRUE(copy);
  auto t2 = copy->open_table("t").value();
  EXPECT_EQ(copy->read()->get(t2, "a").value(), "1");
}

} // namespace
} // namespace picket::store
