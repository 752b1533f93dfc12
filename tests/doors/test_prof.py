"""x"""
import time, structlog, logging
def test_p(embedded):
    with embedded.client("student") as c:
        for label in ("default","quiet"):
            t=time.process_time()
            for _ in range(400): c.get("/api/v1/about")
            print(label,(time.process_time()-t)/400*1000)
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    structlog.reset_defaults()
