; An object of one child that another one watches, through their parent: it hears of what goes through the
; parent, and of what its owner writes itself as soon as the parent watches the object too.
(define shelf [nil])
(define (put object) (vector-set! shelf 0 object) nil)
(define (write-book title) (child-call owner 'write title) nil)
(define (watch-book) (watch (vector-ref shelf 0) list) nil)
(define (serve-owner) (serve owner 0) nil)
(for-each export-variable '(shelf put write-book watch-book serve-owner))
(define owner
  (spawn-child
    '(begin
       (define book (list 'title))
       (define (write title) (setcar book title) nil)
       (parent-call 'put book)
       (run-loop))))
(while (not (vector-ref shelf 0)) (serve owner 10))
(define reader
  (spawn-child
    '(begin
       (define book (vector-ref (remote 'shelf) 0))
       (define changes 0)
       (define (count-change object) (assert (eq? book object)) (set! changes (+ changes 1)))
       (define (changes-now) (serve (parent) 0) changes)
       (watch book count-change)
       (setcar book 'of-the-reader)
       (assert-equal 1 (changes-now))
       (watch book count-change)
       (parent-call 'write-book 'of-the-owner)
       (assert-equal 1 (changes-now))
       (parent-call 'watch-book)
       (parent-call 'write-book 'of-the-owner-again)
       (parent-call 'serve-owner)
       (assert-equal 2 (changes-now)))))
(assert-equal 0 (wait-child reader))
