/** Each example as its README says: its events go in, its expected result comes out. */
import './sse-archive.ts';
import './webhook-search.ts';
