#include "base/testing/scratch_directory.hpp"
#include "store/pool/pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace picket::store {
namespace {

class Pool : public ::testing::Test {
protected:
  static pool_options small() {
    pool_options options;
    options.segments = 32;
    options.segment_bytes = 4'096;
    options.shards = 4;
    options.shard_quota_segments = 24;
    options.node = 1;
    options.boot = 1;
    return options;
  }
  std::filesystem::path file() const { return scratch.path() / "run" / "pool"; }
  std::unique_ptr<pool> open(const pool_options& options = small()) {
    auto opened = pool::open(file(), options);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }
  static pool_record record(agent_id agent, std::string_view text) {
    pool_record one;
    one.arrival_ms = 1'000 + agent;
    one.agent = agent;
    one.kind = 3;
    one.connection = 77;
    one.bytes = as_bytes(text);
    return one;
  }
  static std::vector<std::string> texts(const batch_reader& reader) {
    std::vector<std::string> all;
    for (const auto& one : reader.records())
      all.emplace_back(as_text(one.bytes));
    return all;
  }
  /// Runs it in a process that then dies without any clean-up.
  template <class Body>
  void in_a_process_that_is_killed(Body body) {
    auto child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      body();
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  testing::scratch_directory scratch;
};

TEST_F(Pool, ABatchIsReadAsItWasWritten) {
  auto p = open();
  auto writer = p->begin(2, 9).value();
  EXPECT_EQ(writer.append(record(1, "one")), append_result::taken);
  EXPECT_EQ(writer.append(record(2, "")), append_result::taken);
  EXPECT_EQ(writer.append(record(3, "three")), append_result::taken);
  auto batch = writer.close();
  EXPECT_EQ(batch.shard, 2);
  EXPECT_EQ(batch.records, 3u);
  EXPECT_EQ(batch.bytes, 8u);
  EXPECT_EQ(batch.oldest_arrival_ms, 1'001);
  EXPECT_EQ(batch.id.node, 1u);
  auto reader = p->read(batch);
  ASSERT_EQ(texts(reader), (std::vector<std::string>{"one", "", "three"}));
  const auto& last = reader.records()[2];
  EXPECT_EQ(last.agent, 3u);
  EXPECT_EQ(last.arrival_ms, 1'003);
  EXPECT_EQ(last.kind, 3);
  EXPECT_EQ(last.connection, 77u);
  EXPECT_EQ(reader.damaged(), 0u);
  p->finish(batch);
  EXPECT_EQ(p->free_segments(), 32u);
  EXPECT_EQ(p->figures().batches, 0u);
}

TEST_F(Pool, RecordsOfAnySizeSpanSegmentsAndKeepTheirSlack) {
  auto p = open();
  std::mt19937 random{5};
  SCOPED_TRACE("seed 5");
  for (int round = 0; round < 50; ++round) {
    auto writer = p->begin(0).value();
    std::vector<std::string> written;
    for (;;) {
      std::string text(random() % (round % 2 == 0 ? 9'000 : 300),
                       static_cast<char>('a' + written.size() % 26));
      if (writer.append(record(1, text)) != append_result::taken) break;
      written.push_back(std::move(text));
    }
    EXPECT_EQ(writer.records(), written.size());
    auto batch = writer.close();
    auto reader = p->read(batch);
    ASSERT_EQ(texts(reader), written);
    for (const auto& one : reader.records()) {
      volatile std::byte beyond = one.bytes.data()[one.bytes.size() + pool::slack_bytes - 1];
      static_cast<void>(beyond);
    }
    p->finish(batch);
    ASSERT_EQ(p->free_segments(), 32u);
  }
}

TEST_F(Pool, TheQuotaOfAShardLeavesRoomForOthers) {
  auto p = open();
  auto greedy = p->begin(0).value();
  std::string large(20'000, 'x');
  while (greedy.append(record(1, large)) == append_result::taken) {
  }
  EXPECT_EQ(p->held_by(0), 24u);
  EXPECT_FALSE(p->begin(0));
  auto other = p->begin(1);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->append(record(2, "small")), append_result::taken);
  EXPECT_EQ(texts(p->read(other->close())), std::vector<std::string>{"small"});
  auto batch = greedy.close();
  EXPECT_EQ(texts(p->read(batch)).size(), batch.records) << "what did not fit left nothing behind";
  p->finish(batch);
  EXPECT_EQ(p->held_by(0), 0u);
  EXPECT_TRUE(p->begin(0));
}

TEST_F(Pool, AnEmptyBatchIsFreedWhenItIsClosed) {
  auto p = open();
  auto writer = p->begin(0).value();
  EXPECT_EQ(p->free_segments(), 31u);
  EXPECT_EQ(writer.close().records, 0u);
  EXPECT_EQ(p->free_segments(), 32u);
}

TEST_F(Pool, FindsWhatAKilledProcessHadReadAndNotFinished) {
  in_a_process_that_is_killed([&] {
    auto p = pool::open(file(), small()).value();
    auto done = p->begin(0).value();
    done.append(record(1, "finished"));
    p->finish(done.close());
    auto open_batch = p->begin(1).value();
    open_batch.append(record(2, "open 1"));
    open_batch.append(record(2, std::string(10'000, 'y')));
    auto closed = p->begin(2).value();
    closed.append(record(3, "closed"));
    closed.close();
    auto running = p->begin(3).value();
    running.append(record(4, "running"));
    auto batch = running.close();
    p->start(batch, 12);
    p->start(batch, 13);
    auto empty = p->begin(1).value();
    static_cast<void>(empty);
  });
  auto options = small();
  options.boot = 2;
  auto p = open(options);
  const auto& found = p->recovery();
  ASSERT_EQ(found.batches.size(), 3u);
  EXPECT_EQ(found.torn_headers, 0u);
  EXPECT_EQ(found.broken_chains, 0u);
  EXPECT_EQ(texts(p->read(found.batches[0])), (std::vector<std::string>{"open 1", std::string(10'000, 'y')}));
  EXPECT_EQ(found.batches[0].shard, 1);
  EXPECT_EQ(found.batches[0].records, 2u);
  EXPECT_EQ(p->read(found.batches[0]).records()[0].connection, 0u) << "that connection is gone";
  EXPECT_EQ(texts(p->read(found.batches[1])), std::vector<std::string>{"closed"});
  EXPECT_EQ(found.batches[1].attempt, 0u);
  EXPECT_EQ(found.batches[2].attempt, 2u);
  EXPECT_EQ(found.batches[2].ruleset_version, 13u);
  EXPECT_EQ(found.batches[2].id.boot, 1u);
  for (const auto& batch : found.batches)
    p->finish(batch);
  EXPECT_EQ(p->free_segments(), 32u);
  p.reset();
  EXPECT_TRUE(open(options)->recovery().batches.empty());
}

TEST_F(Pool, BatchesSurviveSeveralDeathsInTheirOrder) {
  for (std::uint32_t boot = 1; boot <= 3; ++boot)
    in_a_process_that_is_killed([&] {
      auto options = small();
      options.boot = boot;
      auto p = pool::open(file(), options).value();
      for (int i = 0; i < 3; ++i) {
        auto writer = p->begin(0).value();
        writer.append(record(boot, std::to_string(boot) + "-" + std::to_string(i)));
      }
    });
  std::string all;
  auto p = open();
  for (const auto& batch : p->recovery().batches)
    all += texts(p->read(batch))[0] + " ";
  EXPECT_EQ(all, "1-0 1-1 1-2 2-0 2-1 2-2 3-0 3-1 3-2 ");
  EXPECT_EQ(p->free_segments(), 23u);
}

TEST_F(Pool, IsWholeAfterAKillAtAnyMoment) {
  // The writer numbers its records; whatever moment it is killed at, a prefix of each batch is there.
  for (int round = 0; round < 20; ++round) {
    int started[2];
    ASSERT_EQ(pipe(started), 0);
    auto child = fork();
    if (child == 0) {
      auto p = pool::open(file(), small()).value();
      for (const auto& batch : p->recovery().batches)
        p->finish(batch);
      char go = 1;
      static_cast<void>(!write(started[1], &go, 1));
      std::mt19937 random{static_cast<unsigned>(round)};
      for (;;) {
        auto writer = p->begin(static_cast<shard_id>(random() % 4)).value();
        for (unsigned i = 0; i < random() % 40; ++i)
          writer.append(record(i + 1, std::string(random() % 2'000, static_cast<char>('a' + i % 26))));
        p->finish(writer.close());
      }
    }
    char go = 0;
    ASSERT_EQ(read(started[0], &go, 1), 1);
    // A different moment each time; how many batches the child has made by then does not matter.
    std::atomic<int> spin = 0;
    while (++spin < 100'000 * (round + 1)) {
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    ::close(started[0]);
    ::close(started[1]);
    auto p = open();
    EXPECT_EQ(p->recovery().torn_headers, 0u);
    EXPECT_EQ(p->recovery().broken_chains, 0u);
    for (const auto& batch : p->recovery().batches) {
      auto reader = p->read(batch);
      EXPECT_EQ(reader.damaged(), 0u);
      agent_id next = 1;
      for (const auto& one : reader.records()) {
        ASSERT_EQ(one.agent, next++) << "round " << round;
        for (auto c : as_text(one.bytes))
          ASSERT_EQ(c, static_cast<char>('a' + (one.agent - 1) % 26));
      }
    }
  }
}

TEST_F(Pool, SkipsAndCountsDamagedHeaders) {
  in_a_process_that_is_killed([&] {
    auto p = pool::open(file(), small()).value();
    for (int i = 0; i < 3; ++i) {
      auto writer = p->begin(0).value();
      writer.append(record(1, "batch " + std::to_string(i)));
    }
    auto spanning = p->begin(1).value();
    spanning.append(record(1, "first"));
    spanning.append(record(1, std::string(9'000, 'z')));
  });
  {
    std::fstream bytes{file(), std::ios::in | std::ios::out | std::ios::binary};
    bytes.seekp(4'096 + 1 * 4'096 + 12); // identity of the second batch
    bytes.write("\x55\x55", 2);
    bytes.seekp(4'096 + 4 * 4'096 + 12); // of the second segment of the spanning batch
    bytes.write("\x55\x55", 2);
  }
  auto p = open();
  EXPECT_EQ(p->recovery().torn_headers, 2u);
  EXPECT_EQ(p->recovery().broken_chains, 1u);
  std::string all;
  for (const auto& batch : p->recovery().batches)
    all += texts(p->read(batch))[0] + "; ";
  EXPECT_EQ(all, "batch 0; batch 2; first; ");
}

TEST_F(Pool, AForeignOrDamagedFileIsMadeAnew) {
  scratch.write("run/pool", std::string(100'000, 'q'));
  auto p = open();
  EXPECT_TRUE(p->recovery().batches.empty());
  EXPECT_EQ(p->free_segments(), 32u);
  struct stat info {};
  ASSERT_EQ(stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600u);
  EXPECT_EQ(info.st_size, 4'096 + 32 * 4'096);
  EXPECT_GE(info.st_blocks * 512, info.st_size) << "allocated in full";
}

TEST_F(Pool, RandomDamageNeverCrashesTheScan) {
  std::mt19937 random{9};
  SCOPED_TRACE("seed 9");
  for (int round = 0; round < 30; ++round) {
    {
      auto p = open();
      for (const auto& batch : p->recovery().batches)
        p->finish(batch);
      for (int i = 0; i < 6; ++i) {
        auto writer = p->begin(static_cast<shard_id>(i % 4));
        if (!writer) break;
        for (int n = 0; n < 10; ++n)
          writer->append(record(1, std::string(random() % 3'000, 'd')));
        writer->close();
      }
    }
    std::fstream bytes{file(), std::ios::in | std::ios::out | std::ios::binary};
    for (int i = 0; i < 200; ++i) {
      bytes.seekp(4'096 + static_cast<std::streamoff>(random() % (32 * 4'096)));
      bytes.put(static_cast<char>(random()));
    }
    bytes.close();
    auto p = open();
    for (const auto& batch : p->recovery().batches)
      p->read(batch);
  }
}

TEST_F(Pool, KeepsItsLayoutWhileSomethingIsUnfinished) {
  {
    auto p = open();
    auto writer = p->begin(0).value();
    writer.append(record(1, "wait for me"));
    writer.close();
  }
  auto larger = small();
  larger.segments = 64;
  {
    auto p = open(larger);
    EXPECT_TRUE(p->recovery().kept_layout);
    EXPECT_EQ(p->figures().segments, 32u);
    EXPECT_EQ(texts(p->read(p->recovery().batches.at(0)))[0], "wait for me");
    p->finish(p->recovery().batches[0]);
  }
  auto p = open(larger);
  EXPECT_FALSE(p->recovery().kept_layout);
  EXPECT_EQ(p->figures().segments, 64u);
}

TEST_F(Pool, RefusesWhatItCannotHaveAndSaysWhy) {
  auto p = open();
  auto second = pool::open(file(), small());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::in_use);
  auto odd = small();
  odd.segment_bytes = 5'000;
  EXPECT_EQ(pool::open(scratch.path() / "odd", odd).error().code, errc::invalid_argument);
  auto path = scratch.write("plain", "x") / "pool";
  EXPECT_FALSE(pool::open(path, small()));
}

/// What threads hand each other, and what they counted.
struct shared_work {
  std::mutex lock;
  std::vector<batch_ref> ready;
  std::atomic<int> writers = 3;
  std::atomic<std::uint64_t> written = 0;
  std::atomic<std::uint64_t> read_back = 0;

  void put(const batch_ref& batch) {
    std::lock_guard<std::mutex> guard{lock};
    ready.push_back(batch);
  }
  std::optional<batch_ref> take() {
    std::lock_guard<std::mutex> guard{lock};
    if (ready.empty()) return std::nullopt;
    auto batch = ready.back();
    ready.pop_back();
    return batch;
  }
};

TEST_F(Pool, ManyThreadsFillReadAndFreeAtOnce) {
  auto options = small();
  options.segments = 256;
  options.shard_quota_segments = 64;
  auto p = open(options);
  shared_work shared;
  auto fill = [&](unsigned id) {
    std::mt19937 random{id};
    for (int n = 0; n < 300; ++n) {
      auto writer = p->begin(static_cast<shard_id>(random() % 4));
      if (!writer) {
        std::this_thread::yield();
        continue;
      }
      for (int i = 0; i < 20; ++i) {
        std::string text(random() % 1'500, static_cast<char>('a' + id));
        if (writer->append(record(id + 1, text)) == append_result::taken) shared.written += text.size();
      }
      auto batch = writer->close();
      if (batch.records > 0) shared.put(batch);
    }
    --shared.writers;
  };
  auto drain = [&] {
    for (bool last = false; !last;) {
      last = shared.writers == 0;
      while (auto batch = shared.take()) {
        p->start(*batch, 1);
        auto reader = p->read(*batch);
        for (const auto& one : reader.records()) {
          auto letter = static_cast<char>('a' + one.agent - 1);
          auto text = as_text(one.bytes);
          shared.read_back += text.find_first_not_of(letter) == text.npos ? text.size() : 1'000'000;
        }
        p->finish(*batch);
      }
      std::this_thread::yield();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned id = 0; id < 3; ++id)
    threads.emplace_back(fill, id);
  threads.emplace_back(drain);
  threads.emplace_back(drain);
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(shared.read_back, shared.written);
  EXPECT_EQ(p->free_segments(), 256u);
  for (shard_id shard = 0; shard < 4; ++shard)
    EXPECT_EQ(p->held_by(shard), 0u);
}

} // namespace
} // namespace picket::store
