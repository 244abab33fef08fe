; A counter of the parent that its children count up at the same time: nothing is lost.
(define counters [0 1.5 'three])
(define pair (cons 1 2))
(defrecord visit count)
(define visits (make-visit 0))
(define work
  '(begin
     (define counters (remote 'counters))
     (dotimes (i 50) (add! counters 0 1))
     (dotimes (i 50) (add! (remote 'visits) 0 2))))
(for-each export-variable '(counters visits))
(define children (list (spawn-child work) (spawn-child work)))
(assert-equal '(0 0) (map wait-child children))
(assert-equal 100 (vector-ref counters 0))
(assert-equal 200 (visit-count visits))

(define child
  (spawn-child
    '(begin
       (define counters (remote 'counters))
       (assert-equal 103 (add! counters 0 3))
       (assert-equal 100 (add! counters 0 -3))
       (assert-equal 2.0 (add! counters 1 0.5))
       (define pair (remote 'pair))
       (assert-equal 11 (add! pair 0 10))
       (assert-equal 22 (add! pair 1 20))
       (define (requests) (cdr (nth 2 (link-counts (parent)))))
       (define before (requests))
       (add! counters 0 0)
       (assert-equal (+ before 1) (requests))

       ; What is no number, here and there; and no element.
       (assert-error 'type-error (add! counters 2 1))
       (assert-error 'type-error (add! counters 0 'one))
       (assert-error 'type-error (add! (remote 'table) 0 1))
       (assert-error 'type-error (add! counters 'first 1))
       (assert-error 'range-error (add! counters 3 1))
       (assert-error 'range-error (add! (remote 'full) 0 1))
       ; To add is to read and to write.
       (assert-error 'denied (add! (remote 'readable) 0 1))
       (assert-error 'denied (add! (parent-call 'writable) 0 1))
       (assert-error 'frozen-error (add! (remote 'frozen) 0 1))
       ; The failures have changed nothing.
       (assert-equal [100 2.0 'three] (copy counters)))))
(define readable [1])
(define (writable) [1])
(define frozen (freeze [1]))
(define table {:a 1})
(define full [4611686018427387903])
(for-each export-variable '(counters pair frozen table full))
(export 'readable readable '(read))
(export 'writable writable '(call))
(assert-equal 0 (wait-child child))
(assert-equal '(11 . 22) pair)
(assert-equal [1] readable)
(assert-equal [4611686018427387903] full)
(assert-equal [1] frozen)

; An object of one's own.
(assert-equal 107 (add! counters 0 7))
(assert-error 'type-error (add! counters 2 1))
(assert-error 'type-error (add! {:a 1} 0 1))
(assert-error 'frozen-error (add! frozen 0 1))

; Of a peer that is gone.
(define kept nil)
(define (keep object) (set! kept object) (kill-child victim) nil)
(define victim (spawn-child '(parent-call 'keep [1])))
(export-variable 'keep)
(assert-equal -9 (wait-child victim))
(assert-error 'peer-dead (add! kept 0 1))
