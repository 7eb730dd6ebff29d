#include "actors/registry/etcd_errors.hpp"

#include <gtest/gtest.h>

namespace picket::registry {
namespace {

struct replayed {
  const char* name;
  int status;
  const char* body;
  commit_status commit;
  read_status read;
};

/// As etcd 3.4.23 said them.
const replayed answers[] = {
    {"TimedOut", 503,
     R"({"error":"etcdserver: request timed out","message":"etcdserver: request timed out","code":14})",
     commit_status::unknown, read_status::unavailable},
    {"LeaderChanged", 503,
     R"({"error":"etcdserver: leader changed","message":"etcdserver: leader changed","code":14})",
     commit_status::unknown, read_status::unavailable},
    {"NoLeader", 503, R"({"error":"etcdserver: no leader","message":"etcdserver: no leader","code":14})",
     commit_status::unknown, read_status::unavailable},
    {"Unknown", 500, R"({"error":"context canceled","message":"context canceled","code":2})",
     commit_status::unknown, read_status::unavailable},
    {"NoSpace", 429,
     R"({"error":"etcdserver: mvcc: database space exceeded","message":"etcdserver: mvcc: database space exceeded","code":8})",
     commit_status::no_space, read_status::unavailable},
    {"TooManyRequests", 429,
     R"({"error":"etcdserver: too many requests","message":"etcdserver: too many requests","code":8})",
     commit_status::unavailable, read_status::unavailable},
    {"TooLarge", 400,
     R"({"error":"etcdserver: request is too large","message":"etcdserver: request is too large","code":3})",
     commit_status::too_large, read_status::unavailable},
    {"TooManyOperations", 400,
     R"({"error":"etcdserver: too many operations in txn request","message":"etcdserver: too many operations in txn request","code":3})",
     commit_status::too_large, read_status::unavailable},
    {"DuplicateKey", 400,
     R"({"error":"etcdserver: duplicate key given in txn request","message":"etcdserver: duplicate key given in txn request","code":3})",
     commit_status::too_large, read_status::unavailable},
    {"Compacted", 400,
     R"({"error":"etcdserver: mvcc: required revision has been compacted","message":"etcdserver: mvcc: required revision has been compacted","code":11})",
     commit_status::unknown, read_status::compacted},
    {"FutureRevision", 400,
     R"({"error":"etcdserver: mvcc: required revision is a future revision","message":"etcdserver: mvcc: required revision is a future revision","code":11})",
     commit_status::unknown, read_status::compacted},
    {"GatewayOff", 404, "404 page not found\n", commit_status::unavailable, read_status::unavailable},
    {"NotAllowed", 403, R"({"error":"etcdserver: permission denied","message":"x","code":7})",
     commit_status::unavailable, read_status::unavailable},
    {"SomethingElse", 502, "<html>Bad Gateway</html>", commit_status::unknown, read_status::unavailable},
    {"Nothing", 500, "", commit_status::unknown, read_status::unavailable},
};

class EtcdErrors : public ::testing::TestWithParam<replayed> {};

TEST_P(EtcdErrors, MeanWhatTheTableSays) {
  const auto& one = GetParam();
  EXPECT_EQ(commit_status_of(reply_kind::answered, one.status, one.body), one.commit);
  EXPECT_EQ(read_status_of(reply_kind::answered, one.status, one.body), one.read);
}

INSTANTIATE_TEST_SUITE_P(Answers, EtcdErrors, ::testing::ValuesIn(answers),
                         [](const auto& which) { return std::string{which.param.name}; });

TEST(EtcdNoAnswer, MeansThatWhatWasSentMayBeDone) {
  EXPECT_EQ(commit_status_of(reply_kind::not_sent, 0, ""), commit_status::unavailable);
  EXPECT_EQ(commit_status_of(reply_kind::lost, 0, ""), commit_status::unknown);
  EXPECT_EQ(read_status_of(reply_kind::not_sent, 0, ""), read_status::unavailable);
  EXPECT_EQ(read_status_of(reply_kind::lost, 0, ""), read_status::unavailable);
}

} // namespace
} // namespace picket::registry
