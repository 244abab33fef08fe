; Numbers, symbols and frozen strings go by value; what can change is referred to.
(define values [nil t 1 -1 1.5 'symbol :keyword (freeze "frozen\n\"text\"") "text"])
(define child
  (spawn-child
    '(begin
       (define values (remote 'values))
       (assert-equal '(nil t 1 -1 1.5 symbol :keyword)
                     (map (lambda (i) (vector-ref values i)) '(0 1 2 3 4 5 6)))
       (define frozen (vector-ref values 7))
       (assert (not (remote? frozen)))
       (assert-equal "frozen\n\"text\"" frozen)
       (assert (remote? (vector-ref values 8)))
       (vector-set! values 8 (freeze "replaced"))
       (vector-set! values 0 4611686018427387903)
       (vector-set! values 1 -0.0))))
(export-variable 'values)
(assert-equal 0 (wait-child child))
(assert-equal "replaced" (vector-ref values 8))
(assert-equal 4611686018427387903 (vector-ref values 0))
(assert-equal "-0.0" (string (vector-ref values 1)))

; Also when they are exported themselves.
(define asking (spawn-child '(assert-equal 42 (remote 'number))))
(export 'number 42)
(assert-equal 0 (wait-child asking))
